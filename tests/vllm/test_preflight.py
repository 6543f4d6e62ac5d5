"""The preflight against real servers: one that is fit, and three that were started wrongly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import preflight
from machine.loading import LAST, parts_in
from preflight import Unfit
from prompts import PROMPTS
from rig.command import Batch
from rig.vllm_ages import Age
from server.endpoint import Endpoint
from server.in_flight import Load, engines_in, read_load
from server.room import LONGEST_ANSWER
from vllm.test_contract import CONTEXT, png
from vllm.vllm_server import AGE, ROOT, VllmServer, build_model

MAX_PIXELS = 2_000_000


def check(server: VllmServer, max_pixels: int = MAX_PIXELS) -> None:
    """The preflight of the layout prompt."""
    endpoint = Endpoint(server.url, request_timeout_s=120, ready_timeout_s=60, retries=0)
    try:
        (model,) = endpoint.models()
        preflight.check(endpoint, model, "layout_all", max_pixels)
    finally:
        endpoint.close()


def test_a_server_that_is_fit(server: VllmServer) -> None:
    check(server)


def test_the_tiny_question_of_a_machine(server: VllmServer, tmp_path: Path) -> None:
    """By which `make process` knows that the model answers."""
    command = [sys.executable, "-m", "machine.status", "--ask", "--endpoint", server.url]
    done = subprocess.run(
        [*command, "--container", "none"],
        cwd=ROOT / "vm_side",
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        check=True,
    )
    status = json.loads(done.stdout)
    assert (status["model"], status["model_fault"]) == ("model", "")


@pytest.mark.parametrize("mode", list(PROMPTS))
def test_the_rendered_prompt_is_what_the_model_was_taught(
    server: VllmServer, age: Age, mode: str
) -> None:
    endpoint = Endpoint(server.url, request_timeout_s=120, ready_timeout_s=60, retries=0)
    tokens = endpoint.rendered("model", png(56, 56), PROMPTS[mode])
    endpoint.close()
    assert tokens is not None
    picture = ["<|imgpad|>"] * (4 if age.expands_pictures else 1)
    turn = ["<|user|>", "<|img|>", *picture, "<|endofimg|>"]
    assert tokens[: len(turn)] == turn
    assert tokens[-2:] == ["<|endofuser|>", "<|assistant|>"]
    preflight.check_prompt("model", tokens, PROMPTS[mode])


def test_a_model_of_another_name(server: VllmServer, tmp_path: Path) -> None:
    batch = Batch(tmp_path, server.url)
    batch.write_pages(1)
    finished = batch.run("--model", "dots")
    assert finished.code == 2
    assert "no model 'dots'" in finished.err and "which serves model" in finished.err


def test_a_context_too_small_for_the_picture(server: VllmServer, tmp_path: Path) -> None:
    """The shared server has 8192 tokens: enough for 2 million pixels, not for four."""
    batch = Batch(tmp_path, server.url)
    batch.write_pages(1)
    finished = batch.run("-m", "4000000")
    assert finished.code == 1 and not batch.records
    assert "--max-model-len" in finished.err and "or give -m" in finished.err


def test_the_wrong_content_format(model: Path, tmp_path: Path) -> None:
    flags: dict[str, str | None] = {"chat-template-content-format": "openai"}
    with VllmServer(model, tmp_path / "log", flags) as wrong:
        with pytest.raises(Unfit, match=r"sees 2 pictures.*--chat-template-content-format"):
            check(wrong)
        batch = Batch(tmp_path, wrong.url)
        batch.write_pages(1)
        finished = batch.run()
        assert finished.code == 1 and "--chat-template-content-format" in finished.err
        assert not batch.records


def test_a_wrong_model_and_a_small_context(model: Path, tmp_path: Path) -> None:
    """Another model's template; then, were it right, 4,096 tokens would be too few."""
    chatml = build_model(tmp_path / "chatml", "chatml")
    with VllmServer(chatml, tmp_path / "log", {"max-model-len": "4096"}) as wrong:
        with pytest.raises(Unfit, match=r"is not dots\.ocr.*lacks <\|user\|>, <\|endofuser\|>"):
            check(wrong)
        endpoint = Endpoint(wrong.url, request_timeout_s=120, ready_timeout_s=60, retries=0)
        (served,) = endpoint.models()
        endpoint.close()
        with pytest.raises(Unfit, match=r"context of 4096.*--max-model-len"):
            preflight.check_room(served, 600, MAX_PIXELS)


def test_a_server_that_makes_pictures_smaller(model: Path, age: Age, tmp_path: Path) -> None:
    """Which an older one cannot tell: what cannot be told passes."""
    flags: dict[str, str | None] = {"mm-processor-kwargs": '{"max_pixels":1000000}'}
    with VllmServer(model, tmp_path / "log", flags) as smaller:
        if age.expands_pictures:
            with pytest.raises(Unfit, match="the server changes its size"):
                check(smaller)
        else:
            check(smaller)


def test_a_page_is_read(server: VllmServer, tmp_path: Path) -> None:
    """From the first look at the server to the files, whatever its age. A page may be answered
    with as many tokens as the whole context has, which an older one would refuse."""
    assert LONGEST_ANSWER >= CONTEXT
    batch = Batch(tmp_path, server.url)
    batch.write_pages(2)
    finished = batch.run()
    assert finished.code == 0, finished.err
    assert {record["status"] for record in batch.records} == {"ok"}


@pytest.mark.skipif(
    not AGE.serves_images_flags,
    reason=f"vLLM {AGE.version} does not know --stream-interval: serve.sh is for the image's own",
)
def test_the_launch_script_starts_a_server_that_is_fit(model: Path, tmp_path: Path) -> None:
    """With its own flags, but for the port and what a CPU cannot do."""
    vllm = VllmServer(model, tmp_path / "log")
    vllm.flags = {"enforce-eager": None, "distributed-executor-backend": "uni"}
    vllm.script = ROOT / "vm_side" / "container" / "serve.sh"
    with vllm:
        check(vllm)
        with pytest.raises(Unfit, match="the server changes its size"):
            check(vllm, 5_000_000)
        parts = parts_in(vllm.log.read_text(encoding="utf-8", errors="replace"))
        assert {"imports", "weights", LAST} <= parts.keys()  # and what the age does on a CPU


@pytest.mark.skipif(
    not AGE.serves_images_flags,
    reason=f"vLLM {AGE.version} does not know --stream-interval: serve.sh is for the image's own",
)
def test_an_engine_on_each_card_behind_one_port(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cards, by what nvidia-smi says: each has its lines in the metrics, and its share."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '23034\\n23034\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    vllm = VllmServer(model, tmp_path / "log")
    vllm.flags = {"enforce-eager": None, "max-model-len": "8192"}
    vllm.script = ROOT / "vm_side" / "container" / "serve.sh"
    with vllm:
        fresh = vllm.get("/metrics")[1].decode()
        body = {"model": "model", "prompt": "a", "max_tokens": 40, "ignore_eos": True}
        asked = [(f"{vllm.url}/v1/completions", json.dumps(body).encode())] * 4
        with ThreadPoolExecutor(len(asked)) as pool:
            list(pool.map(lambda each: post(*each), asked))
        assert engines_in(fresh) == 2
        metrics = vllm.get("/metrics")[1].decode()
        for engine in ("0", "1"):
            assert vllm.metric("num_requests_running", engine=engine) == 0
            assert vllm.metric("generation_tokens_total", engine=engine) > 0
        assert read_load(metrics) == Load(0, 0, 0.0, 0, engines=2)


def post(url: str, body: bytes) -> None:
    """Ask, and wait for the answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as answer:
        assert answer.status == 200
