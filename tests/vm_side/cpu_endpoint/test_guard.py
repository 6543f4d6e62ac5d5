"""Whom the preview answers: programs of this computer, but no foreign page in a browser."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from cpu_endpoint.guard import LOOPBACK, refusal
from cpu_endpoint.protocol import RequestError, open_image
from rig import hostages

JSON = {"content-type": "application/json"}
HERE = {"host": "127.0.0.1:8000"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", HERE | JSON, 0),
        ("POST", HERE | {"content-type": "Application/JSON; charset=utf-8"}, 0),
        ("POST", JSON | {"host": "localhost:8000"}, 0),
        ("POST", JSON | {"host": "[::1]:8000"}, 0),
        ("POST", JSON | {"host": "[::1]"}, 0),
        ("POST", JSON | {"host": "LOCALHOST"}, 0),
        ("POST", HERE | JSON | {"origin": "http://127.0.0.1:8000"}, 0),
        ("GET", HERE, 0),
        ("POST", HERE, 415),
        ("POST", HERE | FORM, 415),
        ("POST", HERE | {"content-type": "text/plain"}, 415),
        ("POST", HERE | {"content-type": "text/plain; application/json"}, 415),
        ("POST", JSON | {"host": "evil.example:8000"}, 403),  # a name that an attacker pointed here
        ("POST", JSON | {"host": "127.0.0.1.evil.example"}, 403),
        ("POST", JSON | {"host": "localhost.evil.example:8000"}, 403),
        ("POST", JSON, 403),
        ("GET", {"host": "evil.example"}, 403),
        ("POST", HERE | JSON | {"origin": "https://evil.example"}, 403),
        ("POST", HERE | JSON | {"origin": "http://127.0.0.1:3000"}, 403),
        ("POST", HERE | JSON | {"origin": "null"}, 403),
        ("GET", HERE | {"origin": "https://evil.example"}, 403),
    ],
)
def test_who_is_answered(method: str, headers: dict[str, str], status: int) -> None:
    found = refusal(method, headers, LOOPBACK)
    assert (found.status if found else 0) == status


@pytest.mark.parametrize("kind", ["EPS", "TIFF", "BMP", "GIF", "PPM"])
def test_only_what_a_page_may_be_is_decoded(kind: str) -> None:
    """Decoding an EPS would run Ghostscript."""
    file = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(file, kind)
    with pytest.raises(RequestError, match="Failed to load image"):
        open_image(file.getvalue())


def test_what_would_be_decoded_again_and_again_is_not(tmp_path: Path) -> None:
    assert open_image(hostages.slow_jpeg(tmp_path / "a.jpg", 300, 50).read_bytes()).any()
    with pytest.raises(RequestError, match="scans"):
        open_image(hostages.slow_jpeg(tmp_path / "b.jpg", 300, 200).read_bytes())


def test_a_picture_beyond_the_context_is_not_decoded(tmp_path: Path) -> None:
    large = hostages.large_png(tmp_path / "a.png", 5000, "1").read_bytes()
    with pytest.raises(RequestError, match="maximum context length"):
        open_image(large[: len(large) // 2])  # decoding it would report that it is cut


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_these_are(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(file, kind)
    assert open_image(file.getvalue()).shape == (300, 300, 3)
