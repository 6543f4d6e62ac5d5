"""What a knob may be: it may not end a line, a word or a unit of systemd."""

import click
import pytest

from lib import kinds
from lib.knobs import TABLE, Knobs

GOOD = {
    "ENDPOINT": ("http://127.0.0.1:8000", "https://gpu.example.org/vllm", "http://[::1]:8000"),
    "BUCKET": ("", "gs://pages", "gs://pages.example.org/a folder/한글"),
    "PROJECT": ("dev-giyoung", "example.com:my-project"),
    "VM": ("dots-ocr-l4-test-vm", "a"),
    "ZONES": ("", "asia-northeast3-a", "asia-northeast3-a, asia-northeast3-b,"),
    "WORKER_IMAGE": ("", "crew", "projects/p/global/images/crew-2", "https://host/crew"),
    "SERVICE_ACCOUNT": ("", "reader@p.iam.gserviceaccount.com"),
    "SSH_HOST": ("", "user@host", "box", "user@2001:db8::1"),
    "CONTAINER_IMAGE": ("custom-dots-ocr:unified", "host:5000/a/b@sha256:0f"),
    "CONTAINER_ARGS": ("", "--gpus all -e VLLM_FLAGS='--max-num-seqs 8' -v ~/w:/model:ro"),
    "MODEL": ("", "dots ocr"),
    "MODEL_ID": ("", "rednote-hilab/dots.ocr"),
    "MODEL_REVISION": ("", 40 * "a"),
}
ENDS = ("\n", "\nExecStartPre=/bin/sh", "\r", "\0", "\x1b[2J")
BAD = {
    "ENDPOINT": (
        *("http://a b:8000", "http://a:8000/%h", "http://a:8000/'x", "http://$(id):1", "ftp://a"),
        *("http://a\tb:8000", "http://\na:8000", "http://u:p@a:8000", "http://a:8000/?x", ""),
    ),
    "BUCKET": ("pages", "gs://", "gs://a b", "gs://../x"),
    "PROJECT": ("a b", "--flag", "a/b", "a;b"),
    "VM": ("--all", "a b", "a.b", 64 * "a"),
    "ZONES": ("a b", "--x", "a;b"),
    "WORKER_IMAGE": ("a b", "-x", "a;b"),
    "SERVICE_ACCOUNT": ("reader", "a b@c", "a@b@c"),
    "SSH_HOST": ("-oProxyCommand=id", "a b"),
    "CONTAINER_IMAGE": ("-v", "a b", "a;b", "$(id)"),
    "MODEL_ID": ("model", "org/model@main", "../x/y", "a b/c"),
    "MODEL_REVISION": ("main", 39 * "a", 40 * "A", 41 * "a"),
}


def kind_of(name: str) -> object:
    return TABLE[name].metadata["kind"]


@pytest.mark.parametrize("name", GOOD)
def test_what_it_may_be(name: str) -> None:
    kind = kind_of(name)
    assert callable(kind)
    for value in (*GOOD[name], TABLE[name].default):
        assert kind(value) == value


@pytest.mark.parametrize("name", GOOD)
def test_what_it_may_not_be(name: str) -> None:
    kind = kind_of(name)
    assert callable(kind)
    good = next(filter(None, GOOD[name]))
    for value in (*BAD.get(name, ()), *(good + end for end in ENDS)):
        with pytest.raises(click.BadParameter):
            kind(value)


def test_every_text_says_what_it_may_be() -> None:
    """Except files of this computer, with any name, and knobs that a verb checks itself."""
    texts = {name for name, row in TABLE.items() if row.metadata["kind"] is str}
    files = {"API_KEY_FILE", "PDF_PASSWORD_FILE", "NOTIFY_FILE"}
    assert texts == files | {"EXPORT", "FORMATS", "NOTIFY"}
    assert Knobs().endpoint == kinds.endpoint_url("http://127.0.0.1:8000/v1/")


@pytest.mark.parametrize("name", ["INPUT", "OUTPUT", "TRUTH", "MACHINE_DIR"])
def test_a_url_is_no_folder_of_this_computer(name: str) -> None:
    """OUTPUT=gs://b/out would make a folder "gs:" here, without an error."""
    kind = kind_of(name)
    assert callable(kind)
    for path in ("", "./results", "~/스캔 문서", "gs:/b", "a//b", "//server/share"):
        assert kind(path) == path
    for url in ("gs://b/out", "s3://b", "https://host/a", "file:///tmp"):
        with pytest.raises(click.BadParameter, match="is a URL, not a path of this computer"):
            kind(url)


def test_help_calls_a_value_by_a_word_that_says_something() -> None:
    """click shows the name of the function, so a closure needs a good name."""
    names = {click.types.convert_type(row.metadata["kind"]).name for row in TABLE.values()}
    words = {"boolean", "choice", "text", "number", "whole number"}
    assert names == words | {"endpoint_url", "local_path", "page_list"}
