"""A key that only the server may see: a server that always wants it, and where it leaks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.conversation import Conversation
from rig.model_server import ModelServer

KEY = "sk-known-to-nobody-0xC0FFEE"


@contextlib.contextmanager
def guarded_server(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[ModelServer, dict[str, bool]]]:
    """A server that answers no path without the key, as behind a proxy.

    Also yields the requested paths: whether each was always requested with the key.
    """
    asked: dict[str, bool] = {}

    def guard(method: str) -> None:
        answer = getattr(Conversation, method)

        def answer_if_allowed(conversation: Conversation) -> None:
            is_allowed = conversation.headers.get("Authorization") == f"Bearer {KEY}"
            asked[conversation.path] = asked.get(conversation.path, True) and is_allowed
            if is_allowed:
                answer(conversation)
                return
            conversation.rfile.read(int(conversation.headers.get("Content-Length", 0)))
            conversation._send_json(401, {"error": "Unauthorized"})

        monkeypatch.setattr(Conversation, method, answer_if_allowed)

    guard("do_GET")
    guard("do_POST")
    with ModelServer(api_key=KEY) as server:
        yield server, asked


def command_lines() -> str:
    """What everybody can see of all processes of this computer."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(lines)


def files_with(secret: str, *folders: Path) -> list[Path]:
    """The files below these folders that contain the secret."""
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
