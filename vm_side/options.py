"""The types of the command's options, and the checks of their values."""

import math
import urllib.parse
from typing import Any

import click

from wanted_pages import selection_from


class Whole(click.IntRange):
    """A whole number within bounds."""

    name = "whole number"


class Number(click.FloatRange):
    """A number not below a bound. click accepts nan and inf; this type refuses them."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raises click.BadParameter."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


def endpoint_url(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Check an endpoint's URL and bring it to the form http://host:port."""
    parts = urllib.parse.urlsplit(value)
    try:
        name = (parts.hostname or "").encode("idna")  # as the connection does
        valid = parts.scheme in ("http", "https") and name.split() == [name] and parts.port != 0
        # urlsplit drops some letters of this kind without an error
        valid = valid and value.isprintable() and value.split() == [value]
    except ValueError:
        valid = False
    if not valid:
        raise click.BadParameter(f"{value!r} is not a URL such as http://127.0.0.1:8000")
    return value.rstrip("/").removesuffix("/v1")


def page_list(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Check the list of wanted pages, and return it. Raises click.BadParameter."""
    try:
        selection_from(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value
