"""config.env: how its lines are read."""

import contextlib
import difflib
from collections.abc import Collection
from pathlib import Path

import click
from dotenv.parser import parse_stream

from contract import SECRETS
from lib.console import say


def read_config(
    path: Path, known: Collection[str], needed: Collection[str] | None = None
) -> dict[str, str]:
    """The known knobs in a config.env, as text. Quotes are taken off, nothing else is interpreted.

    Raises click.UsageError for a line that is no KEY=value and for a key that is no knob, unless it
    looks like one that is not needed.
    """
    try:
        with path.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except FileNotFoundError:
        raise click.UsageError(f"{path} does not exist: CONFIG names the wrong file") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path} is not UTF-8 text: save it as UTF-8") from error
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for binding in bindings:
        text = binding.original.string
        blank = text[: len(text) - len(text.lstrip())]  # lines before it belong to the binding
        line = binding.original.line + blank.count(chr(10))
        place = f"{path}, line {line}"
        if binding.error or (binding.key is not None and binding.value is None):
            raise click.UsageError(f"{place}: no KEY=value: {shown(text.strip())!r}")
        if binding.key is None:
            continue
        if binding.key in SECRETS:
            raise click.UsageError(
                f"{place}: {binding.key} is a secret, and this file holds none: put it into a file"
                f" that only you can read, and its path into {SECRETS[binding.key]}"
            )
        if binding.key not in known:
            refuse_unknown(place, binding.key, known, needed)
            continue
        value = binding.value or ""
        before = lines.get(binding.key)
        if before and value != values.get(binding.key, "") and is_needed(binding.key, needed):
            say(f"{place}: {binding.key} stands in line {before}, too: line {line} counts")
        values[binding.key], lines[binding.key] = value, line
    return {name: value for name, value in values.items() if value}


def is_needed(name: str, needed: Collection[str] | None) -> bool:
    """Whether a command does its work by this knob."""
    return needed is None or name in needed


def refuse_unknown(
    place: str,
    name: str,
    known: Collection[str],
    needed: Collection[str] | None,
    otherwise: str = "see make help",
) -> None:
    """A name that is no knob: raise click.UsageError, unless it looks like one not needed.

    otherwise is what is said of a name that looks like none.
    """
    near = difflib.get_close_matches(name.upper(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else otherwise
    message = f"{place}: unknown knob {name}; {hint}"
    if needed is None or (near and near[0] in needed):
        raise click.UsageError(message)
    say(f"ignored, not needed here: {message}")


def shown(text: str) -> str:
    """A line of it for a message; of one that may hold a secret, only whose it is."""
    return next((name for name in ("NOTIFY", *SECRETS) if name in text), text)


def what_it_says(path: Path) -> dict[str, str]:
    """The values in a config.env, as far as it can be read at all: for a message."""
    with contextlib.suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        return {one.key: one.value for one in parse_stream(file) if one.key and one.value}
    return {}
