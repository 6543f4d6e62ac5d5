"""Read the lines of config.env."""

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
    """Return the known knobs of a config.env, as text. Only quotes are taken off.

    Raises click.UsageError for a line that is not KEY=value, and for a key that is not a knob (see
    refuse_unknown).
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
        blank = text[: len(text) - len(text.lstrip())]  # the binding has the blank lines before it
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
    """Whether a command needs this knob for its work; needed is None if it needs all."""
    return needed is None or name in needed


def refuse_unknown(
    place: str,
    name: str,
    known: Collection[str],
    needed: Collection[str] | None,
    otherwise: str = "see make help",
) -> None:
    """Raise click.UsageError for an unknown name that may mean a needed knob; else say it only.

    otherwise is the hint for a name that looks like no knob.
    """
    near = difflib.get_close_matches(name.upper(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else otherwise
    message = f"{place}: unknown knob {name}; {hint}"
    if needed is None or (near and near[0] in needed):
        raise click.UsageError(message)
    say(f"ignored, not needed here: {message}")


def shown(text: str) -> str:
    """Return a line for a message; if it may hold a secret, only the name of its knob."""
    return next((name for name in ("NOTIFY", *SECRETS) if name in text), text)


def what_it_says(path: Path) -> dict[str, str]:
    """Return the values in a config.env, for a message, as far as the file can be read."""
    with contextlib.suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        return {one.key: one.value for one in parse_stream(file) if one.key and one.value}
    return {}
