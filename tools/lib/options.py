"""A knob as an option of a command: its flag, its variables, and what an empty value means."""

import dataclasses
import os
from typing import Any

import click

from lib.console import say
from version import version_option as version_option

MAY_BE_EMPTY = ("container_args",)  # besides the knobs that are empty by default


class Option(click.Option):
    """A knob. An empty value is a value, too: it removes the one of config.env."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the variable's value; click itself ignores an empty variable."""
        value = super().resolve_envvar_value(ctx)
        is_empty = value is None and os.environ.get(str(self.name).upper()) == ""
        return "" if is_empty else value

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value, converted to its type. Raises click.BadParameter."""
        if value == "" and self.default != "" and self.name not in MAY_BE_EMPTY:
            raise click.BadParameter("it is empty, and needs a value", ctx, self)
        return super().type_cast_value(ctx, value)


class Spare(Option):
    """A knob that a verb does not need: a wrong value is ignored."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value, converted to its type, or the default."""
        try:
            return super().type_cast_value(ctx, value)
        except click.BadParameter as error:
            say(f"ignored, not needed here: {str(self.name).upper()}: {error.message}")
            return self.default


def envvars(command: click.Command) -> set[str]:
    """The variables of the environment that a command's options and arguments read."""
    found = set[str]()
    for parameter in command.params:
        given = parameter.envvar or ()
        found.update([given] if isinstance(given, str) else given)
    return found


def option(name: str, entry: "dataclasses.Field[Any]", cls: type[Option], hidden: bool) -> Any:
    """The click option of one knob, of this class."""
    flag = f"--{name.lower().replace('_', '-')}"
    kind, short, google = (entry.metadata[key] for key in ("kind", "short", "google"))
    if kind is bool:
        flag = f"{flag}/--no-{flag[2:]}"
    return click.option(
        flag,
        *([short] if short else []),
        name.lower(),
        cls=cls,
        envvar=[name, google] if google else name,
        show_envvar=True,
        show_default=kind is not bool,  # click would show a 0 of config.env as default "images"
        default=entry.default,
        type=kind,
        help=entry.metadata["help"],
        hidden=hidden,
    )
