"""The launch script of the model server, with a `vllm` that only says how it was called."""

from __future__ import annotations

import itertools
import os
import subprocess
from pathlib import Path

import pytest

SAY_WORDS = '#!/bin/sh\nprintf "%s\\n" "$@"\n'
CONTAINER = Path(__file__).parents[2] / "vm_side" / "container"


def serve(
    folder: Path, vllm: str = SAY_WORDS, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the script; its words come one a line."""
    program = folder / "bin" / "vllm"
    program.parent.mkdir(exist_ok=True)
    program.write_text(vllm)
    program.chmod(0o755)
    return subprocess.run(
        ["bash", str(CONTAINER / "serve.sh")],
        env={"PATH": f"{program.parent}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a model's."""
    (tmp_path / "config.json").touch()
    return tmp_path


def test_the_flags_that_the_client_relies_on(model: Path) -> None:
    words = serve(model, MODEL_DIR=str(model)).stdout.splitlines()
    assert words[:2] == ["serve", str(model)]
    given = dict(itertools.pairwise(words))
    assert given["--chat-template-content-format"] == "string"
    assert given["--port"] == "8000"
    assert given["--limit-mm-per-prompt"] == '{"image":1}'


def test_one_knob_overrides(model: Path) -> None:
    flags = '--max-num-seqs 8 --limit-mm-per-prompt {"image":2}'
    words = serve(model, MODEL_DIR=str(model), VLLM_FLAGS=flags).stdout.splitlines()
    assert words[-4:] == ["--max-num-seqs", "8", "--limit-mm-per-prompt", '{"image":2}']
    assert words.count("--max-num-seqs") == words.count("--limit-mm-per-prompt") == 1
    assert "64" not in words and '{"image":1}' not in words


def test_a_flag_may_be_given_with_its_value_behind_a_sign(model: Path) -> None:
    words = serve(model, MODEL_DIR=str(model), VLLM_FLAGS="--max-model-len=8192").stdout.split()
    assert words[-1] == "--max-model-len=8192" and "--max-model-len" not in words
    assert "16384" in words  # of the flag after it, which stays: --max-num-batched-tokens


def test_vllm_does_not_see_our_variable(model: Path) -> None:
    """It warns of each VLLM_… that it does not know."""
    program = "#!/bin/sh\nenv\n"
    for flags in ("", "--port 1"):
        done = serve(model, program, MODEL_DIR=str(model), VLLM_FLAGS=flags, VLLM_API_KEY="k")
        assert "VLLM_FLAGS" not in done.stdout and "VLLM_API_KEY=k" in done.stdout


def test_without_weights_it_says_so(tmp_path: Path) -> None:
    done = serve(tmp_path, MODEL_DIR=str(tmp_path / "none"))
    assert done.returncode == 1 and "no weights in" in done.stderr


def test_the_image_is_pinned_and_fetches_nothing_at_start() -> None:
    text = (CONTAINER / "Dockerfile").read_text()
    (base,) = (line for line in text.splitlines() if line.startswith("ARG CONTAINER_BASE="))
    assert ":v" in base and "latest" not in base
    assert "\nFROM ${CONTAINER_BASE}\n" in text
    assert "\nARG MODEL_REVISION=\n" in text  # none by default: a branch would move
    assert "HF_HUB_OFFLINE=1" in text and "rednote-hilab/dots.ocr" in text
