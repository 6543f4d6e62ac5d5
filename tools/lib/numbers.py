"""Numbers as knobs have them: nan and inf are none, whatever click says."""

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A number from a bound on."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises click.BadParameter."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number


class Hours(Number):
    """How long a VM may run, as Google has it; 0 is for ever."""

    LEAST, MOST = 0.1, 2880.0  # 120 days

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The hours. Raises click.BadParameter."""
        hours = super().convert(value, param, ctx)
        if hours and not self.LEAST <= hours <= self.MOST:
            self.fail(f"{hours:g} is neither 0 nor in {self.LEAST:g} to {self.MOST:g}.", param, ctx)
        return hours
