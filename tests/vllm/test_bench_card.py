"""The bench of a card, rehearsed: serve.sh, forced answers, two clients and the table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rig.vllm_ages import Age
from vllm.vllm_server import NICENESS, PYTHON, ROOT

PARTS = ("ceiling", "ours-2")


@pytest.mark.usefixtures("model")
def test_a_rehearsal(age: Age, tmp_path: Path) -> None:
    if not age.serves_images_flags:
        pytest.skip("serve.sh is for the image's own vLLM")
    command = [sys.executable, str(ROOT / "tests" / "bench" / "card"), "--rehearse"]
    command += ["--vllm", str(PYTHON.with_name("vllm")), "--folder", str(tmp_path / "bench")]
    command += ["--window", "5", "--minutes", "14"]
    for part in PARTS:
        command += ["--part", part]
    done = subprocess.run(
        ["nice", "-n", str(NICENESS), *command], stdout=subprocess.PIPE, text=True, check=True
    )
    assert f"vLLM {age.version}" in done.stdout
    looks = {
        part: [
            json.loads(line)
            for line in (tmp_path / "bench" / "rehearsal" / "runs" / f"{part}.jsonl")
            .read_text()
            .splitlines()
        ]
        for part in PARTS
    }
    for part, most in zip(PARTS, (4, 2), strict=True):
        first, last = looks[part][0], looks[part][-1]
        assert max(look["running"] for look in looks[part]) == most
        pages, tokens = last["ended"] - first["ended"], last["tokens"] - first["tokens"]
        assert pages > 0 and 20 <= tokens / pages <= 180  # answers of 20 to 120 tokens
        assert last["begun"] - first["begun"] >= pages
