"""What a knob may be, as click types. Its value goes into scripts, units of systemd, URLs and calls
of APIs as it is: so each kind says which characters it has.
"""

import re
import urllib.parse
from collections.abc import Callable

import click

from contract import selection_from


def text(pattern: str, example: str) -> Callable[[str], str]:
    """A kind: the whole value is of this pattern, or empty. The example stands in the message."""

    def kind(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r} is none, such as {example}")
        return value

    return kind


RESOURCE = r"[a-z0-9][-a-z0-9]{0,62}"  # a name in Google's API
project = text(r"[a-z0-9][-a-z0-9.:]{0,99}", "my-project-1")
resource = text(RESOURCE, "dots-ocr-vm")
zones = text(rf"{RESOURCE}( *, *{RESOURCE})*[ ,]*", "asia-northeast3-a,asia-northeast3-b")
disk_image = text(r"[A-Za-z0-9][-\w.:/]*", "dots-ocr-crew")
account = text(r"[\w.+-]+@[\w.-]+", "reader@my-project.iam.gserviceaccount.com")
ssh_host = text(r"[^-\s\0-\x1f\x7f][^\s\0-\x1f\x7f]*", "user@host")
container_image = text(r"[A-Za-z0-9][-\w.:/@]*", "name:tag")
model_id = text(r"[\w.-]+/[\w.-]+", "rednote-hilab/dots.ocr; its commit is MODEL_REVISION")
commit = text(r"[0-9a-f]{40}", "a commit: 40 hexadecimal digits")
one_line = text(r"[^\0-\x1f\x7f]*", "one line of text")
_bucket = text(r"gs://[a-z0-9][-a-z0-9._]+(/[^\0-\x1f\x7f]*)?", "gs://name")
_endpoint = text(
    r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[\w.~/-]*)?",
    "http://127.0.0.1:8000",
)


def bucket_url(value: str) -> str:
    """A bucket's URL, gs://name[/folder]; an empty one is none."""
    try:
        return _bucket(value)
    except click.BadParameter:
        raise click.BadParameter(f"{value!r} is no gs://name") from None


def endpoint_url(value: str) -> str:
    """A model server's URL; gives it as http://host:port."""
    try:
        valid = _endpoint(value) and urllib.parse.urlsplit(value).port != 0
    except (click.BadParameter, ValueError):  # a port beyond 65535
        valid = False
    if not valid:
        raise click.BadParameter(f"{value!r} is no URL such as http://127.0.0.1:8000")
    return value.rstrip("/").removesuffix("/v1")


def page_list(value: str) -> str:
    """Which pages, as PAGES says it."""
    try:
        selection_from(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value
