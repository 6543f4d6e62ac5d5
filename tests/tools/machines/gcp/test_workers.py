"""A worker's startup script, run by a shell whose commands are stand-ins that note what they do."""

import os
import subprocess
from pathlib import Path

import pytest

from lib.knobs import Knobs
from lib.machines.gcp.workers import startup_script

KNOBS = Knobs(vm="dots", bucket="gs://pages", worker_image="crew", workers=4, idle_minutes=15)
COMMANDS = {
    "docker": """
case "$*" in
  "inspect --format {{.State.Status}} dots-ocr-model") cat "$HOME/model" ;;
  "run --detach"*) exit "$(cat "$HOME/model_starts")" ;;
esac
""",
    "gcloud": """
case "$*" in *delete-instances*) exit "$(cat "$HOME/group_says")" ;; esac
""",
    "python3": 'exit "$(cat "$HOME/no_scheduler")"',
    "curl": ":",
    "hostname": "echo dots-workers-ab12",
    "date": """
now=$(($(cat "$HOME/clock") + 60)); echo $now >"$HOME/clock"; echo $now
""",
    "sleep": ":",
    "shutdown": "",
    # our own code comes, and a worker ends as soon as it began
    "sha256sum": "echo sums",
    "tar": """
mkdir -p "$HOME/lib/code/vm_side/machine"
cp "$HOME/dask_worker.sh" "$HOME/lib/code/vm_side/machine/"
""",
}


class Vm:
    """A home in which the script works, with those commands before all others."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "bin").mkdir()
        for name, text in COMMANDS.items():
            note = f'#!/bin/bash\necho "{name} $*" >>"$HOME/called"\n'
            (home / "bin" / name).write_text(note + text)
            (home / "bin" / name).chmod(0o755)
        values = {"model": "running", "model_starts": "0", "group_says": "0", "clock": "0"}
        for name, value in {**values, "no_scheduler": "0", "dask_worker.sh": ""}.items():
            (home / name).write_text(value)

    def work(self) -> str:
        """What the script says until it ends, as the service."""
        script = startup_script(KNOBS).replace("/var/lib/dots-ocr", str(self.home / "lib"))
        environment = {"HOME": str(self.home), "PATH": f"{self.home}/bin:{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", "-s", "work"],
            input=script,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        ).stdout

    def calls(self, word: str) -> list[str]:
        """The calls so far that have this in them."""
        return [line for line in (self.home / "called").read_text().splitlines() if word in line]


@pytest.fixture
def vm(tmp_path: Path) -> Vm:
    return Vm(tmp_path)


LEFT = (
    "gcloud compute instance-groups managed delete-instances dots-workers"
    " --region asia-northeast3 --project dev-giyoung --instances dots-workers-ab12 --quiet"
)


def test_without_a_scheduler_it_leaves_after_its_minutes(vm: Vm) -> None:
    (vm.home / "no_scheduler").write_text("1")
    assert "leaving: no scheduler for 15 minutes" in vm.work()
    assert vm.calls("delete-instances") == [LEFT]
    assert len(vm.calls("python3")) == 16  # the clock goes on a minute with each look
    assert not vm.calls("storage rsync")


def test_when_nothing_is_left_it_leaves(vm: Vm) -> None:
    (vm.home / "dask_worker.sh").write_text(f"touch {vm.home}/lib/leave/now\n")
    assert "leaving: nothing is left to read" in vm.work()
    assert vm.calls("delete-instances") == [LEFT]


def test_a_mark_of_an_earlier_life_does_not_count(vm: Vm) -> None:
    (vm.home / "lib" / "leave").mkdir(parents=True)
    (vm.home / "lib" / "leave" / "now").touch()
    (vm.home / "no_scheduler").write_text("1")
    assert "no scheduler" in vm.work()


@pytest.mark.parametrize("state", ["exited", "dead"])
def test_without_its_model_it_leaves(vm: Vm, state: str) -> None:
    (vm.home / "model").write_text(state)
    assert "leaving: its model has ended" in vm.work()


def test_without_an_answer_of_its_model_it_leaves(vm: Vm) -> None:
    """One that loads for ever, say; the scheduler is there."""
    (vm.home / "bin" / "curl").write_text("#!/bin/bash\nexit 22\n")
    assert "leaving: its model does not answer" in vm.work()
    assert vm.calls("delete-instances") == [LEFT]


def test_a_model_that_cannot_be_started(vm: Vm) -> None:
    (vm.home / "model_starts").write_text("125")
    assert "leaving: its model cannot be started" in vm.work()


def test_a_worker_that_ends_again_and_again(vm: Vm) -> None:
    (vm.home / "dask_worker.sh").write_text(f"echo >>{vm.home}/begun\n")
    (vm.home / "bin" / "date").write_text("#!/bin/bash\necho 0\n")  # each within its minute
    assert "leaving: its worker does not work" in vm.work()
    assert len((vm.home / "begun").read_text().splitlines()) == 5


def test_a_group_that_refuses(vm: Vm) -> None:
    """It would bill without being of use: then it turns itself off."""
    (vm.home / "model").write_text("dead")
    (vm.home / "group_says").write_text("1")
    assert "the group does not let it go; turning off" in vm.work()
    assert vm.calls("shutdown") == ["shutdown -h now"]


def test_what_the_image_brings_along_is_removed(vm: Vm) -> None:
    """The disk image was made of the VM's disk, with its scheduler that docker would start."""
    (vm.home / "no_scheduler").write_text("1")
    vm.work()
    assert vm.calls("docker rm -f dots-ocr-scheduler dots-ocr-worker dots-ocr-job")


def test_the_model_comes_first(vm: Vm) -> None:
    """It loads for minutes; all else can wait."""
    (vm.home / "no_scheduler").write_text("1")
    vm.work()
    runs = (vm.home / "called").read_text().splitlines()
    first = next(i for i, line in enumerate(runs) if line.startswith("docker run --detach"))
    assert not any("python3" in line for line in runs[:first])
