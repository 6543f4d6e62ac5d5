"""The launch script of the model server, with a `vllm` that only prints how it was called."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from pathlib import Path

import pytest

SAY_WORDS = '#!/bin/sh\nprintf "%s\\n" "$@"\n'
NO_CARD = "#!/bin/sh\necho 'NVIDIA-SMI has failed'; exit 9\n"
L4, L40S, A100_80, H200 = "23034", "46068", "81920", "143771"  # MiB, as the real cards report
CONTAINER = Path(__file__).parents[2] / "vm_side" / "container"


def serve(
    folder: Path, vllm: str = SAY_WORDS, nvidia_smi: str = NO_CARD, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the script; it prints its words, one a line."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in (("vllm", vllm), ("nvidia-smi", nvidia_smi)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return subprocess.run(
        ["bash", str(CONTAINER / "serve.sh")],
        env={"PATH": f"{programs}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like that of a model."""
    (tmp_path / "config.json").touch()
    return tmp_path


def test_the_flags_that_the_client_relies_on(model: Path) -> None:
    words = serve(model, MODEL_DIR=str(model)).stdout.splitlines()
    assert words[:2] == ["serve", str(model)]
    given = dict(itertools.pairwise(words))
    assert given["--chat-template-content-format"] == "string"
    assert given["--port"] == "8000"
    assert given["--limit-mm-per-prompt"] == '{"image":1}'
    # our client reads the metrics four times a second
    assert "--disable-uvicorn-access-log" in words


def test_one_knob_overrides(model: Path) -> None:
    flags = '--max-num-seqs 8 --limit-mm-per-prompt {"image":2}'
    words = serve(model, MODEL_DIR=str(model), VLLM_FLAGS=flags).stdout.splitlines()
    assert words[-4:] == ["--max-num-seqs", "8", "--limit-mm-per-prompt", '{"image":2}']
    assert words.count("--max-num-seqs") == words.count("--limit-mm-per-prompt") == 1
    assert "64" not in words and '{"image":1}' not in words


def test_a_flag_may_be_given_with_its_value_behind_a_sign(model: Path) -> None:
    words = serve(model, MODEL_DIR=str(model), VLLM_FLAGS="--max-model-len=8192").stdout.split()
    assert words[-1] == "--max-model-len=8192" and "--max-model-len" not in words
    assert "16384" in words  # the value of the next flag, which stays: --max-num-batched-tokens


def cards_of(*memories: str) -> str:
    """An nvidia-smi that answers the script's one question like the real one."""
    question = "--query-gpu=memory.total --format=csv,noheader,nounits"
    lines = "\\n".join(memories)
    return f'#!/bin/sh\n[ "$*" = "{question}" ] && printf "{lines}\\n"\n'


CARDS: list[tuple[str, tuple[str, ...], dict[str, str], tuple[str, str, str]]] = [
    ("no nvidia-smi that works", (), {}, ("64", "16384", "")),
    ("a T4", ("15360",), {}, ("32", "8192", "")),
    ("an L4", (L4,), {}, ("64", "16384", "")),
    ("an L40S", (L40S,), {}, ("128", "16384", "")),
    ("an A100", ("40960",), {}, ("128", "16384", "")),
    ("a larger A100", (A100_80,), {}, ("256", "16384", "")),
    ("an H100", ("81559",), {}, ("256", "16384", "")),
    ("an H200", (H200,), {}, ("256", "16384", "")),
    ("what has its memory elsewhere", ("[N/A]",), {}, ("64", "16384", "")),
    ("four L4", (L4,) * 4, {}, ("64", "16384", "4")),
    ("cards that differ", (H200, L4), {}, ("64", "16384", "2")),
    ("two of four", (L4,) * 4, {"CUDA_VISIBLE_DEVICES": "1,3"}, ("64", "16384", "2")),
    ("one of four", (L4,) * 4, {"CUDA_VISIBLE_DEVICES": "GPU-3a5b"}, ("64", "16384", "")),
    ("more named than there are", (L4,) * 2, {"CUDA_VISIBLE_DEVICES": "0,1,2"},
     ("64", "16384", "2")),
    ("named without nvidia-smi", (), {"CUDA_VISIBLE_DEVICES": "0,1"}, ("64", "16384", "")),
    ("fewer at once", (H200,), {"VLLM_FLAGS": "--max-num-seqs 8"}, ("8", "16384", "")),
    ("fewer engines", (L4,) * 4, {"VLLM_FLAGS": "--data-parallel-size=2"}, ("64", "16384", "2")),
    ("cards that work together", (L4,) * 4, {"VLLM_FLAGS": "-tp 4"}, ("64", "16384", "")),
]  # fmt: skip


@pytest.mark.parametrize(("cards", "more", "flags"), [c[1:] for c in CARDS],
                         ids=[c[0] for c in CARDS])  # fmt: skip
def test_what_fits_the_cards(
    model: Path, cards: tuple[str, ...], more: dict[str, str], flags: tuple[str, str, str]
) -> None:
    """Pages in a batch and tokens in a step; and one engine for each card, on any machine."""
    nvidia_smi = cards_of(*cards) if cards else NO_CARD
    done = serve(model, nvidia_smi=nvidia_smi, MODEL_DIR=str(model), **more)
    assert done.returncode == 0, done.stderr
    words = done.stdout.replace("=", "\n").splitlines()
    given = dict(itertools.pairwise(words))
    names = ("--max-num-seqs", "--max-num-batched-tokens", "--data-parallel-size")
    assert tuple(given.get(name, "") for name in names) == flags
    assert all(words.count(name) <= 1 for name in names)


def test_what_is_compiled_is_kept_beside_vllms_own_cache(model: Path) -> None:
    """On the volume. In the container's own layer it would disappear with the container."""
    places = {
        "/root/.cache/vllm": {"HOME": "/root"},
        "/other/vllm": {"HOME": "/root", "XDG_CACHE_HOME": "/other"},
        "/volume": {"HOME": "/root", "VLLM_CACHE_ROOT": "/volume"},
    }
    for cache, given in places.items():
        done = serve(model, "#!/bin/sh\nenv\n", MODEL_DIR=str(model), **given)
        lines = done.stdout.splitlines()
        assert {f"TRITON_CACHE_DIR={cache}/triton", f"CUDA_CACHE_PATH={cache}/cuda"} < set(lines)
        assert f"TORCHINDUCTOR_CACHE_DIR={cache}/inductor" in lines
    done = serve(model, "#!/bin/sh\nenv\n", MODEL_DIR=str(model), TRITON_CACHE_DIR="/mine")
    assert "TRITON_CACHE_DIR=/mine" in done.stdout.splitlines()


def test_the_weights_are_read_ahead_and_signals_reach_vllm(model: Path) -> None:
    """vllm has the pid of the script; it does not wait for the weights."""
    os.mkfifo(model / "model.safetensors")  # a reader blocks here until somebody writes
    program = "#!/bin/sh\necho $$; exec sleep 60\n"
    (model / "bin").mkdir()
    (model / "bin" / "vllm").write_text(program)
    (model / "bin" / "vllm").chmod(0o755)
    environment = {"PATH": f"{model}/bin:{os.environ['PATH']}", "MODEL_DIR": str(model)}
    command = ["bash", str(CONTAINER / "serve.sh")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert int(process.stdout.readline()) == process.pid
            # this opens only when somebody reads
            with (model / "model.safetensors").open("wb") as weights:
                weights.write(b"x" * 100_000)  # more than a pipe can hold, so it is really read
            process.terminate()
            assert process.wait(20) == -signal.SIGTERM
        finally:
            process.kill()


def test_vllm_does_not_see_our_variable(model: Path) -> None:
    """It warns of each VLLM_… variable that it does not know."""
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
    assert "\nARG MODEL_REVISION=\n" in text  # no default: a branch would move
    assert "HF_HUB_OFFLINE=1" in text and "rednote-hilab/dots.ocr" in text
