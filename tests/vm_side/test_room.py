"""Servers that limit question and answer together to their context: every page is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from rig import replies
from rig.command import Batch
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.pages import article
from rig.replies import Reply
from rig.vllm_ages import AGES, Age

Refuse = Callable[[int, int, int], str]
FULL = {"UPSAMPLE_BELOW": "1200000", "PROCESSES": "8"}


def as_vllm_0_9(asked: int, taken: int, context: int) -> str:
    return (
        f"This model's maximum context length is {context} tokens. However, you requested"
        f" {taken + asked} tokens ({taken} in the messages, {asked} in the completion). Please"
        " reduce the length of the messages or completion."
    )


def as_vllm_0_11(asked: int, taken: int, context: int) -> str:
    return (
        f"'max_tokens' or 'max_completion_tokens' is too large: {asked}. This model's maximum"
        f" context length is {context} tokens and your request has {taken} input tokens ({asked} >"
        f" {context} - {taken}). None"
    )


def as_vllm_0_26(asked: int, taken: int, context: int) -> str:
    return (
        f"This model's maximum context length is {context} tokens. However, you requested {asked}"
        f" output tokens and your prompt contains at least {taken} input tokens, for a total of at"
        f" least {taken + asked} tokens. Please reduce the length of the input prompt or the number"
        f" of requested output tokens. (parameter=input_tokens, value={taken})"
    )


class Strict(ModelServer):
    """A server that refuses what does not fit its context.

    `counts_picture`: it counts the picture's tokens, and not only its place. `says` is the context
    in /v1/models; 0 for none.
    """

    def __init__(
        self, context: int, says: int, refuse: Refuse = as_vllm_0_26, counts_picture: bool = False
    ) -> None:
        super().__init__(max_model_len=131_072, check_pictures=False)
        self.context, self.says, self.refuse = context, says, refuse
        self.counts_picture = counts_picture
        self.script = self.answer

    def models(self) -> dict[str, Any]:
        body = super().models()
        body["data"][0] |= {"max_model_len": self.says} if self.says else {}
        if not self.says:
            del body["data"][0]["max_model_len"]
        return body

    def answer(self, request: Request) -> Reply:
        width, height = request.size
        taken = len(request.text) // 4 + 1 + (width * height // 784 if self.counts_picture else 0)
        asked = request.max_tokens or 0
        if taken + asked > self.context:
            words = self.refuse(asked, taken, self.context)
            return Reply(status=400, error_message=words)
        return Reply()


def read(
    folder: Path, server: ModelServer, more: Mapping[str, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Read a page of 2 million pixels; return its records."""
    batch = Batch(folder, server.url)
    batch.input.mkdir(exist_ok=True)
    article(100, 1).save(batch.input / "page.png")
    finished = batch.run_here(environment={**FULL, **more})
    assert finished.code == 0, finished.err
    return batch.records


@pytest.mark.parametrize("counts_picture", [False, True])
@pytest.mark.parametrize("refuse", [as_vllm_0_9, as_vllm_0_11, as_vllm_0_26])
@pytest.mark.parametrize("says", [16_384, 131_072, 0])
def test_a_page_is_read_by_each_age(
    tmp_path: Path, refuse: Refuse, says: int, counts_picture: bool
) -> None:
    """A server that tells its true context refuses nothing; the others refuse once."""
    with Strict(16_384, says, refuse, counts_picture) as server:
        (record,) = read(tmp_path, server)
        assert record["status"] == "ok"
        assert len(server.requests) == (1 if says == 16_384 else 2)
        (width, height), asked = server.requests[-1].size, server.requests[-1].max_tokens
        assert asked is not None and 12_000 < asked <= 16_384 - width * height // 784


@pytest.mark.parametrize("age", AGES, ids=lambda age: age.version)
@pytest.mark.parametrize("context", [7248, 16_384])
def test_a_page_is_read_by_each_vllm_that_was_looked_at(
    tmp_path: Path, age: Age, context: int
) -> None:
    with ModelServer(max_model_len=context, age=age) as server:
        (record,) = read(tmp_path, server)
        assert record["status"] == "ok" and len(server.requests) == 1


@pytest.mark.parametrize("counts_picture", [False, True])
def test_the_least_context_of_the_readme_is_enough(tmp_path: Path, counts_picture: bool) -> None:
    with Strict(7248, 7248, counts_picture=counts_picture) as server:
        (record,) = read(tmp_path, server)
        assert record["status"] == "ok" and len(server.requests) == 1
        assert (server.requests[0].max_tokens or 0) >= 4096


def test_a_worker_remembers_what_it_was_told(tmp_path: Path) -> None:
    with Strict(4000, 0) as server:
        batch = Batch(tmp_path, server.url)
        batch.write_pages(5)
        assert batch.run_here("-p", "1").code == 0
        assert len(server.requests) == 6


def test_eighty_pages_as_with_our_own_launch_script_and_vllm_0_26(tmp_path: Path) -> None:
    with Strict(16_384, 16_384) as server:
        batch = Batch(tmp_path, server.url)
        batch.write_pages(80)
        finished = batch.run_here(environment={"PROCESSES": "8"})
        assert (finished.code, finished.err) == (0, "")
        assert list(batch.statuses().values()) == ["ok"] * 80 and len(server.requests) == 80


def test_a_picture_that_is_larger_than_the_context_is_refused_once(tmp_path: Path) -> None:
    with ModelServer(max_model_len=16_384) as server:
        server.script = lambda request: replies.too_long(17_000, 16_384)
        batch = Batch(tmp_path, server.url)
        batch.write_pages(1)
        assert batch.run_here().code == 3 and len(server.requests) == 1
