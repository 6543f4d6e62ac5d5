"""One running endpoint for all tests that need the real engine, and requests to it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.command import PATIENCE_S

VM_SIDE = Path(__file__).resolve().parents[3] / "vm_side"
APT_LINE = "sudo apt-get install tesseract-ocr tesseract-ocr-kor"
INSTALL = "pip install --no-deps -r vm_side/cpu_endpoint/requirements.txt"


def need(present: bool, what: str) -> None:
    """Skip a test if its tool is missing; on CI, fail."""
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def korean_tesseract() -> None:
    """Tesseract with Korean data; without it, skip and name the packages."""
    command = shutil.which("tesseract")
    listed = ""
    if command:
        listed = subprocess.run(
            [command, "--list-langs"], capture_output=True, text=True, check=False
        ).stdout
    need("kor" in listed.split(), f"Tesseract's Korean data is missing: {APT_LINE}")


class Endpoint:
    """A `python -m cpu_endpoint` process on a free port."""

    def __init__(self, *options: str, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cpu_endpoint", "--port", "0", *options],
            cwd=VM_SIDE,
            env={**os.environ, **(env or {})},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._ready = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        assert self._ready.wait(60), f"not ready: {self.said}"
        match = re.search(r"http://127\.0\.0\.1:\d+", "".join(self.said))
        assert match, self.said
        self.url = match.group()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "ready at" in line:
                self._ready.set()
        self._ready.set()

    def stop(self) -> int:
        """End it as a user does, and return its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        assert self.process.stderr is not None
        self._listener.join(5)
        self.process.stderr.close()


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    """The real engine, loaded once for all tests. A second thread would only wait on one core."""
    pytest.importorskip("rapidocr", reason=INSTALL)
    running = Endpoint("--threads", "1")
    yield running
    running.kill()


def _chat(image: bytes | None, prompt: str, **more: Any) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if image is not None:
        url = "data:image/png;base64," + base64.b64encode(image).decode()
        content.append({"type": "image_url", "image_url": {"url": url}})
    content.append({"type": "text", "text": f"<|img|><|imgpad|><|endofimg|>{prompt}"})
    return {
        "model": "dots-ocr-cpu-preview",
        "messages": [{"role": "user", "content": content}],
        "temperature": 0.1,
        **more,
    }


@pytest.fixture
def chat() -> Callable[..., dict[str, Any]]:
    """Makes the body of a chat completion from (image, prompt, **more), as the client sends it."""
    return _chat


@pytest.fixture
def start_endpoint() -> Iterator[Callable[..., Endpoint]]:
    """Return a function that starts endpoints with (*options, env=…); all end after the test."""
    started: list[Endpoint] = []

    def start(*options: str, env: dict[str, str] | None = None) -> Endpoint:
        pytest.importorskip("rapidocr", reason=INSTALL)
        started.append(Endpoint(*options, env=env))
        return started[-1]

    yield start
    for running in started:
        running.kill()
