"""A knob as an option of a command: its flag, its variables, and what an empty value means."""

import dataclasses
import os
from typing import Any

import click

from lib.console import say
from version import version_option as version_option

MAY_BE_EMPTY = ("container_args",)  # beside those that are empty unless somebody fills them


class Option(click.Option):
    """A knob. An empty value is a value: it takes that of config.env away."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """As click has it, for which an empty variable is none."""
        value = super().resolve_envvar_value(ctx)
        is_empty = value is None and os.environ.get(str(self.name).upper()) == ""
        return "" if is_empty else value

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """The value as its own type has it. Raises click.BadParameter."""
        if value == "" and self.default != "" and self.name not in MAY_BE_EMPTY:
            raise click.BadParameter("it is empty, and needs a value", ctx, self)
        return super().type_cast_value(ctx, value)


class Spare(Option):
    """A knob that a verb can do without: a wrong value counts as none."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """The value as its own type has it, or the default."""
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
        show_default=kind is not bool,  # click would call a 0 of config.env a default of "images"
        default=entry.default,
        type=kind,
        help=entry.metadata["help"],
        hidden=hidden,
    )
