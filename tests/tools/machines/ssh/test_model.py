"""The script that starts the model's container, run by a shell; a fake docker notes its calls."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.machines.ssh.model import (
    TAKEN,
    build_script,
    describe_start,
    end_of,
    gpu_rows,
    has_ended,
    port_script,
    ports_of,
    python_script,
    start_script,
)
from rig.command import wait_until
from rig.toolkit import foreign_server, free_port

DOCKER = """#!/bin/bash
printf '%s\\n' "$*" >>"$HOME/called"
case $1 in
  image) cat "$HOME/image" ;;
  inspect) cat "$HOME/running" 2>/dev/null || exit 1 ;;
  run) printf '%s\\n' "$@" | sed -n 's/^dots_ocr=/true /p' >"$HOME/running" ;;
  build) sleep 0.3; echo "it says"; exit "$(cat "$HOME/code")" ;;
esac
"""


class Docker:
    """A home with the fake docker."""

    def __init__(self, home: Path) -> None:
        self.home = home
        program = home / "bin" / "docker"
        program.parent.mkdir()
        program.write_text(DOCKER)
        program.chmod(0o755)
        (home / ".dots-ocr").mkdir()
        self.note("image", "sha256:1\n")
        self.note("code", "0")

    def note(self, name: str, text: str) -> None:
        (self.home / name).write_text(text)

    def sh(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as sshd would."""
        environment = {"HOME": str(self.home), "PATH": f"{self.home}/bin:{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def calls(self, verb: str) -> list[str]:
        """The calls so far of this subcommand."""
        lines = (self.home / "called").read_text().splitlines()
        return [line for line in lines if line.split()[0] == verb]


def shells_in(folder: Path) -> Iterator[int]:
    """The shells with this working folder."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):  # it has just ended, or it is another user's
            if link.readlink() == folder and (link.parent / "comm").read_text() == "bash\n":
                yield int(link.parent.name)


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


PARTS = {"MODEL_ID": "org/model", "MODEL_REVISION": "0ab1"}


def test_a_build(docker: Docker) -> None:
    done = docker.sh(build_script("my:image", PARTS, watched=True))
    assert (done.returncode, done.stdout) == (0, "it says\n")
    arguments = "--build-arg MODEL_ID=org/model --build-arg MODEL_REVISION=0ab1"
    assert docker.calls("build") == [f"build -t my:image {arguments} vm_side/container"]
    assert docker.calls("version")  # it waits until docker answers


def test_a_build_that_nobody_watches_is_silent(docker: Docker) -> None:
    done = docker.sh(build_script("my:image", PARTS, watched=False))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert docker.calls("build")[0].startswith("build --quiet ")


def test_a_build_that_fails(docker: Docker) -> None:
    docker.note("code", "17")
    assert docker.sh(build_script("my:image", PARTS, watched=False)).returncode == 17


def test_somebody_is_seen_while_it_builds_and_no_longer(docker: Docker) -> None:
    began = time.time()
    docker.sh(build_script("my:image", PARTS, watched=True))
    seen = docker.home / ".dots-ocr" / "seen"
    assert seen.stat().st_mtime >= began - 1
    wait_until(lambda: not list(shells_in(docker.home)))


def test_a_container_is_started_once_and_anew_when_something_changed(docker: Docker) -> None:
    def started(image: str = "my:image", options: str = "--gpus all") -> int:
        before = len(docker.calls("run")) if (docker.home / "called").exists() else 0
        assert docker.sh(start_script(image, options)).returncode == 0
        return len(docker.calls("run")) - before

    assert [started(), started()] == [1, 0]
    assert docker.calls("run")[0].endswith("--restart on-failure:1 --gpus all my:image")
    assert [started(options="--gpus 0"), started(options="--gpus 0")] == [1, 0]
    docker.note("image", "sha256:2\n")  # built again, with the same name
    assert [started(options="--gpus 0"), started(options="--gpus 0")] == [1, 0]
    docker.note("running", "false")
    assert started(options="--gpus 0") == 1


def test_the_python_of_an_image(docker: Docker) -> None:
    docker.sh(python_script("my image"))
    (call,) = docker.calls("run")
    assert call.startswith("run --rm --label dots_ocr=python --network none --entrypoint python3")
    assert " my image -c import sys" in call


@pytest.mark.parametrize(
    ("options", "ports"),
    [
        ("--gpus all -p 127.0.0.1:8000:8000 -v a:/b", [8000]),
        (
            "-p 8001:8000/tcp --publish 9000:9000 -p8002:8000 --publish=[::1]:8003:8000",
            [8001, 9000, 8003, 8002],
        ),
        ("--network host", [8000]),
        ("--net=host -p 1:1", [8000]),
        ("--network none", []),
        ("-p 8000", []),  # docker chooses a free port
        ("-p 8000-8010:8000-8010", []),
        ("--env 'A", []),
        ("", []),
    ],
)
def test_the_ports_that_it_wants(options: str, ports: list[int]) -> None:
    assert ports_of(options, "http://127.0.0.1:8000") == ports


def test_a_port_of_another_server_is_told_and_ours_makes_way(docker: Docker) -> None:
    with foreign_server() as port:
        done = docker.sh(port_script([free_port(), port]))
        assert (done.returncode, done.stdout.split()[:1]) == (TAKEN, [str(port)])
        assert not docker.calls("rm")
        docker.note("running", "true")
        assert docker.sh(port_script([port])).returncode == 0
    docker.note("running", "false")
    assert docker.sh(port_script([port])).returncode == 0
    assert docker.sh(port_script([])).returncode == 0


def test_only_our_own_container_makes_way(docker: Docker) -> None:
    """Containers of others stay, also those of the same image, or of one built on it."""
    assert docker.sh(start_script("my:image", "--gpus all")).returncode == 0
    assert docker.calls("rm") == ["rm -f dots-ocr-model"]
    assert not docker.calls("ps")


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ("created", False),
        ("running", False),
        ("restarting", False),
        ("exited", True),
        ("dead", True),
    ],
)
def test_whether_the_model_is_dead(state: str, ended: bool) -> None:
    assert has_ended({"state": state}) == ended
    assert not has_ended({})


def test_how_it_died() -> None:
    said = end_of({"exit_code": 1, "log": "CUDA out of memory"})
    assert "ended with 1" in said
    assert said.endswith("CUDA out of memory")


OVER = {"imports": 75, "weights": 3, "compile": 20}
TOLD: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"parts": {}, "now": ""}, ""),
    ({"parts": None, "now": ""}, ""),
    ({"parts": OVER, "now": ""}, "98 s: imports 75 s, weights 3 s, compile 20 s"),
    ({"parts": {}, "now": "imports", "age_s": 4, "before": None}, "4 s: now imports"),
    ({"parts": {"imports": 75, "weights": 3}, "now": "compile", "age_s": 84, "before": OVER},
     "84 s: imports 75 s, weights 3 s, now compile, 20 s the last time"),
    ({"parts": {}, "now": "graphs", "age_s": 4, "before": OVER}, "4 s: now graphs"),
    ({"parts": {"imports": "long"}, "now": "weights", "age_s": [4], "before": [3]},
     "0 s: now weights"),
]  # fmt: skip


@pytest.mark.parametrize(("start", "words"), TOLD)
def test_a_start_in_words(start: dict[str, Any], words: str) -> None:
    """The machine may say anything."""
    assert describe_start(start) == words


def test_each_gpu_has_a_row() -> None:
    used = "19876 MiB, 23034 MiB"
    assert gpu_rows([]) == {"GPU memory": "-"}
    assert gpu_rows([used]) == {"GPU memory": used}
    assert gpu_rows([used, "4 MiB"]) == {"GPU 0 memory": used, "GPU 1 memory": "4 MiB"}
