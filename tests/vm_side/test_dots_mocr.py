"""dots.mocr, the successor: its published client has dots.ocr's prompts, template and sizes.

So our code must not depend on the model's name. It must also not add what that client sends only
with other prompts (a system message).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from prompts import PROMPTS
from rig.command import Batch
from rig.model_server import ModelServer

NAME = "rednote-hilab/dots.mocr"


@pytest.mark.parametrize("mode", list(PROMPTS))
def test_each_mode_is_read(tmp_path: Path, mode: str) -> None:
    with ModelServer(model=NAME, max_model_len=131_072) as server:
        batch = Batch(tmp_path, server.url)
        batch.write_pages(2)
        finished = batch.run_here("--prompt-mode", mode)
        assert (finished.code, finished.err) == (0, "")
        assert {(r["status"], r["model"]) for r in batch.records} == {("ok", NAME)}
        for request in server.requests:
            (message,) = request.body["messages"]
            assert message["role"] == "user" and request.prompt == PROMPTS[mode]
            assert (request.body["temperature"], request.body["top_p"]) == (0.1, 0.9)


def test_it_is_another_model_than_dots_ocr(tmp_path: Path) -> None:
    """Pages that dots.ocr has read are read again, if the server's model name differs."""
    for name in ("rednote-hilab/dots.ocr", NAME):
        with ModelServer(model=name) as server:
            batch = Batch(tmp_path, server.url)
            batch.write_pages(1)
            assert batch.run_here().code == 0 and len(server.requests) == 1
