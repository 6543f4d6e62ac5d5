"""The kinds of values that knobs may have, as click types.

A value goes unchanged into scripts, systemd units, URLs and API calls, so each kind says which
characters are allowed.
"""

import math
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

import click

from wanted_pages import selection_from


def text(pattern: str, what: str) -> Callable[[str], str]:
    """Return a kind: a value is empty or matches the whole pattern; else it is not `what`."""

    def kind(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r} is not {what}")
        return value

    kind.__name__ = "text"  # what --help calls its value
    return kind


NAME = r"[a-z0-9][-a-z0-9]{0,62}"  # in Google's API
project = text(r"[a-z0-9][-a-z0-9.:]{0,99}", "a project, such as my-project-1")
resource = text(NAME, "a name in Google Cloud, such as dots-ocr-vm")
zones = text(rf"{NAME}( *, *{NAME})*[ ,]*", "zones, such as asia-northeast3-a,asia-northeast3-b")
disk_image = text(r"[A-Za-z0-9][-\w.:/]*", "a disk image, such as dots-ocr-crew")
account = text(r"[\w.+-]+@[\w.-]+", "an account, such as name@project.iam.gserviceaccount.com")
ssh_host = text(r"[^-\s\0-\x1f\x7f][^\s\0-\x1f\x7f]*", "a host of ssh, such as user@host")
container_image = text(r"[A-Za-z0-9][-\w.:/@]*", "a container image, such as name:tag")
model_id = text(r"[\w.-]+/[\w.-]+", "a model, such as org/name; its commit is MODEL_REVISION")
commit = text(r"[0-9a-f]{40}", "a commit: 40 hexadecimal digits")
one_line = text(r"[^\0-\x1f\x7f]*", "a line of text")
bucket_url = text(r"gs://[a-z0-9][-a-z0-9._]+(/[^\0-\x1f\x7f]*)?", "a bucket, such as gs://name")
_endpoint = text(
    r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[\w.~/-]*)?",
    "a URL such as http://127.0.0.1:8000",
)


def endpoint_url(value: str) -> str:
    """Check a model server's URL; return it without a / or /v1 at its end."""
    try:
        port = urllib.parse.urlsplit(_endpoint(value)).port
    except ValueError:
        port = 0
    if not value or port == 0:
        raise click.BadParameter(f"{value!r} names no server and port")
    return value.rstrip("/").removesuffix("/v1")


def local_path(value: str) -> str:
    """Check a path of this computer. A URL would become a folder of that name here."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", value):
        raise click.BadParameter(f"{value!r} is a URL, not a path of this computer")
    return value


def page_list(value: str) -> str:
    """Check a selection of pages, in the form of PAGES."""
    try:
        selection_from(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


class Whole(click.IntRange):
    """A whole number within bounds."""

    name = "whole number"


class Number(click.FloatRange):
    """A number with a lower bound; nan and inf are refused, though click takes them."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises click.BadParameter."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


class Hours(Number):
    """How many hours a VM may run, within Google's limits; 0 means for ever."""

    LEAST, MOST = 0.01, 2880.0  # 36 s to 120 days

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The hours. Raises click.BadParameter."""
        hours = super().convert(value, param, ctx)
        if hours and not self.LEAST <= hours <= self.MOST:
            self.fail(f"{hours:g} is neither 0 nor in {self.LEAST:g} to {self.MOST:g}.", param, ctx)
        return hours
