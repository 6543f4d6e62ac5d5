"""A worker's startup script, run by a shell; stand-ins for its commands note their calls.

Its code comes from a bucket that is a folder, where the VM's own script has put it.
"""

import os
import subprocess
from pathlib import Path

import pytest

from lib.knobs import ROOT, Knobs
from lib.machines.gcp.workers import startup_script
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.unavailable import require_programs, require_root
from rig.tls import certificate

KNOBS = Knobs(vm="dots", bucket="gs://pages", worker_image="crew", workers=4, idle_minutes=15)
COMMANDS = {
    "docker": """
case "$*" in
  "inspect --format {{.State.Status}} dots-ocr-model") cat "$HOME/model" ;;
  "image inspect"*) exit 1 ;;  # which ends the VM's own part
  "run --detach"*) exit "$(cat "$HOME/model_starts")" ;;
esac
""",
    "gcloud": """
case "$*" in
  *delete-instances*) exit "$(cat "$HOME/group_says")" ;;
  "storage rsync"*) mkdir -p "$HOME/bucket" && exec cp -- * "$HOME/bucket/" ;;
  "storage cp"*)
    for word; do case $word in
      gs://pages/fleet/*) cp -- "$HOME/bucket/${word##*/}" "${@: -1}" || exit ;;
    esac; done ;;
esac
""",
    "python3": 'exit "$(cat "$HOME/no_scheduler")"',
    "curl": ":",
    "iptables": ":",
    "hostname": "echo dots-workers-ab12",
    "date": """
now=$(($(cat "$HOME/clock") + 60)); echo $now >"$HOME/clock"; echo $now
""",
    "sleep": ":",
    "shutdown": "",
}
MACHINE = ROOT / "vm_side" / "machine"
FLEET = ("bash", str(MACHINE / "fleet.sh"), "image", "gs://pages", "10.0.0.2", "3", "http://e")


class Vm:
    """A home for the script, with these commands first in PATH."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "bin").mkdir()
        for name, text in COMMANDS.items():
            note = f'#!/bin/bash\necho "{name} $*" >>"$HOME/called"\n'
            (home / "bin" / name).write_text(note + text)
            (home / "bin" / name).chmod(0o755)
        values = {"model": "running", "model_starts": "0", "group_says": "0", "clock": "0"}
        for name, value in {**values, "no_scheduler": "0"}.items():
            (home / name).write_text(value)
        (home / ".dots-ocr" / "packages").mkdir(parents=True)
        self.certificate = self.run("bash", str(MACHINE / "certificate.sh"))
        self.put_code("")

    def put_code(self, dask_worker: str) -> None:
        """Let the VM give its workers the code. They run this script of it, which ends at once."""
        path = self.home / "vm_side" / "machine" / "dask_worker.sh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dask_worker)
        self.run(*FLEET)
        (self.home / "called").unlink()

    def run(self, *command: str, script: str = "") -> str:
        """Run a program and return its output."""
        environment = {"HOME": str(self.home), "PATH": f"{self.home}/bin:{os.environ['PATH']}"}
        return subprocess.run(
            command,
            input=script,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        ).stdout

    def work(self) -> str:
        """Run the startup script as the service does; return its output."""
        script = startup_script(KNOBS, self.certificate)
        script = script.replace("/var/lib/dots-ocr", str(self.home / "lib"))
        return self.run("bash", "-s", "work", script=script)

    def calls(self, word: str) -> list[str]:
        """The calls so far that contain this."""
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
    assert len(vm.calls("python3")) == 16  # each look moves the clock by a minute
    assert not vm.calls("storage cp")


def test_when_nothing_is_left_it_leaves(vm: Vm) -> None:
    vm.put_code(f"touch {vm.home}/lib/leave/now\n")
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
    """For example, the model loads for ever. The scheduler is there."""
    (vm.home / "bin" / "curl").write_text("#!/bin/bash\nexit 22\n")
    assert "leaving: its model does not answer" in vm.work()
    assert vm.calls("delete-instances") == [LEFT]


def test_a_model_that_cannot_be_started(vm: Vm) -> None:
    (vm.home / "model_starts").write_text("125")
    assert "leaving: its model cannot be started" in vm.work()


def test_a_worker_that_ends_again_and_again(vm: Vm) -> None:
    vm.put_code(f"echo >>{vm.home}/begun\n")
    # each failure is within the same minute
    (vm.home / "bin" / "date").write_text("#!/bin/bash\necho 0\n")
    assert "leaving: its worker does not work" in vm.work()
    assert len((vm.home / "begun").read_text().splitlines()) == 5


def test_a_group_that_refuses(vm: Vm) -> None:
    """It would bill without doing any work, so it turns itself off."""
    (vm.home / "model").write_text("dead")
    (vm.home / "group_says").write_text("1")
    assert "the group does not let it go; turning off" in vm.work()
    assert vm.calls("shutdown") == ["shutdown -h now"]


def test_what_the_image_brings_along_is_removed(vm: Vm) -> None:
    """The disk image was made of the VM's disk, with a scheduler that docker would start."""
    (vm.home / "no_scheduler").write_text("1")
    vm.work()
    assert vm.calls("docker rm -f dots-ocr-scheduler dots-ocr-worker dots-ocr-job")


def test_the_model_comes_first(vm: Vm) -> None:
    """It loads for minutes; everything else can wait."""
    (vm.home / "no_scheduler").write_text("1")
    vm.work()
    runs = (vm.home / "called").read_text().splitlines()
    first = next(i for i, line in enumerate(runs) if line.startswith("docker run --detach"))
    assert not any("python3" in line for line in runs[:first])


THRICE = """
echo $# $3 >>"$HOME/begun"
[ "$(wc -l <"$HOME/begun")" -lt 3 ] || touch "$HOME/lib/leave/now"
"""


def test_the_code_that_the_vm_gave_is_run_and_fetched_once(vm: Vm) -> None:
    vm.put_code(THRICE)
    vm.work()
    begun = (vm.home / "begun").read_text().splitlines()
    assert begun == [f"16 {vm.home}/lib/fleet.pem"] * 3  # nine words and the options
    assert len(vm.calls("packages.tar")) == 1
    assert (vm.home / "lib/fleet.pem").stat().st_mode & 0o777 == 0o600


def evil_tar(home: Path, dask_worker: str) -> bytes:
    """The code, changed by an attacker."""
    (home / "evil/vm_side/machine").mkdir(parents=True)
    (home / "evil/vm_side/machine/dask_worker.sh").write_text(dask_worker)
    subprocess.run(["tar", "-cf", home / "evil.tar", "-C", home / "evil", "vm_side"], check=True)
    return (home / "evil.tar").read_bytes()


def sums_of(bucket: Path) -> bytes:
    """The checksums, in the form of the VM's list."""
    command = ["sha256sum", "vm_side.tar", "packages.tar"]
    return subprocess.run(command, cwd=bucket, check=True, capture_output=True).stdout


@pytest.mark.parametrize("care", ["the tar", "and its sum", "and a signature", "no signature"])
def test_code_that_others_put_into_the_bucket_is_not_even_unpacked(vm: Vm, care: str) -> None:
    """Everybody who may bring pages can write there, and worker.sh runs as root."""
    bucket = vm.home / "bucket"
    (bucket / "vm_side.tar").write_bytes(evil_tar(vm.home, f"touch {vm.home}/owned\n"))
    if care != "the tar":
        (bucket / "sums").write_bytes(sums_of(bucket))
    if care == "and a signature":
        key = certificate(vm.home).key
        sign = ["openssl", "dgst", "-sha256", "-sign", str(key), "-out"]
        signed = [str(bucket / name) for name in ("sums.signature", "sums")]
        subprocess.run([*sign, *signed], check=True)
    if care == "no signature":
        (bucket / "sums.signature").write_bytes(b"")
    said = vm.work()
    assert "the code in gs://pages/fleet " in said
    assert "leaving: no scheduler for 15 minutes" in said
    assert not (vm.home / "owned").exists() and not (vm.home / "lib/code").exists()


def test_good_code_stays_where_bad_code_came_after_it(vm: Vm) -> None:
    evil_tar(vm.home, f"touch {vm.home}/owned\n")
    vm.put_code(f'{THRICE}cp "$HOME/evil.tar" "$HOME/bucket/vm_side.tar"\n')
    vm.work()
    assert not (vm.home / "owned").exists()
    assert len((vm.home / "begun").read_text().splitlines()) == 3  # its own copy is the good one


def test_the_model_is_kept_from_the_account_before_it_is_started(vm: Vm) -> None:
    vm.put_code(THRICE)
    vm.work()
    calls = (vm.home / "called").read_text().splitlines()
    first = next(i for i, line in enumerate(calls) if line.startswith("docker run --detach"))
    assert any("169.254.169.254" in line for line in calls[:first])
    assert (vm.home / "begun").exists()


def test_the_rule_for_containers_stands_once(tmp_path: Path) -> None:
    """With the real iptables, in a network of its own; docker's chain may exist already or not."""
    with skipped_where_unavailable():
        require_root()
        require_programs("unshare", "iptables", package="iptables")
    for before in ("", "iptables -N DOCKER-USER && iptables -A DOCKER-USER -j RETURN && "):
        script = f"{before}sh {MACHINE}/network.sh && sh {MACHINE}/network.sh"
        command = ["unshare", "--net", "sh", "-c", f"{script} && iptables -S DOCKER-USER"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rules = [line for line in said.splitlines() if line.startswith("-A")]
        assert "169.254.169.254/32 -p tcp" in rules[0] and "REJECT" in rules[0]
        assert len(rules) == 1 + bool(before)
