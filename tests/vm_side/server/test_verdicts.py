"""What a server's refusals and faults mean, and the messages of servers."""

from __future__ import annotations

import pytest

from server.verdicts import Verdict, message, refused, verdict


@pytest.mark.parametrize(
    ("status", "asks"),
    [
        *[(200, "ANSWER"), (400, "REFUSED"), (404, "REFUSED"), (413, "REFUSED"), (408, "BROKEN")],
        *[
            (429, "BUSY"),
            (502, "BUSY"),
            (503, "BUSY"),
            (504, "BUSY"),
            (500, "BROKEN"),
            (501, "BROKEN"),
        ],
    ],
)
def test_verdicts(status: int, asks: str) -> None:
    assert verdict(status) is Verdict[asks]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "two\\nlines"}}', "two lines"),
        (b'{"error": "Unauthorized"}', "Unauthorized"),
        (b'{"error": {"message": null}}', "None"),
        (b'{"error": 7}', '{"error": 7}'),
        (b"[1]", "[1]"),
        (b"<html>\n bad gateway", "<html> bad gateway"),
        (b"\xff" + b"x" * 1000, "\ufffd" + "x" * 299),
        (b"[" * 100_000, "[" * 300),
        (b"", ""),
    ],
)
def test_the_servers_own_words(body: bytes, words: str) -> None:
    assert message(body) == words


@pytest.mark.parametrize(
    ("status", "said", "location", "words"),
    [
        (404, "no such model", "", "HTTP 404 no such model"),
        (500, "", "", "HTTP 500"),
        (
            413,
            "",
            "",
            "HTTP 413: let it take larger requests (nginx: client_max_body_size), or lower -m",
        ),
        (302, "Found", "http://there/", "HTTP 302 Found: it moved to http://there/"),
        *(
            (status, "no", "", f"HTTP {status} no: it needs its key, in API_KEY, or")
            for status in (401, 403)
        ),
    ],
)
def test_what_is_said_of_a_refusal(status: int, said: str, location: str, words: str) -> None:
    text = refused(status, said, location)
    assert text.startswith(words) if "key" in words else text == words
