"""make all with TARGET=ssh; of many files, only the new one is sent."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import pages
from rig.cloud.ssh_toolkit import SshToolkit, ssh_vm
from rig.cloud.vm import Vm
from rig.command import Finished
from rig.toolkit import files_below, statuses_in

FILES = 700  # their names are more than a pipe can hold
FOLDER = "-".join(["one of many folders with a name as long as people make them"] * 2)
ALL_S = 240.0
# To find a user's .ssh, OpenSSH reads /etc/passwd, not HOME.
AT_HOME = 'mount --bind "$1" /etc/passwd && shift && exec "$@"'


@pytest.fixture
def vm(tmp_path: Path, image_tar: Path) -> Iterator[Vm]:
    """A GPU machine that anybody can ssh into."""
    with ssh_vm(tmp_path / "vm", image_tar) as machine:
        yield machine


class Home(SshToolkit):
    """A user with the machine in ~/.ssh/config, and with the real ssh program."""

    def __init__(self, vm: Vm, folder: Path, **knobs: str) -> None:
        super().__init__(vm, folder, CONTAINER_ARGS="--network host", **knobs)
        (folder / ".ssh").mkdir(mode=0o700)
        (folder / "ssh_config").rename(folder / ".ssh/config")
        lines = Path("/etc/passwd").read_text().splitlines(keepends=True)
        others = [line for line in lines if not line.startswith("root:")]
        self._passwd = folder / "passwd"
        self._passwd.write_text(f"root:x:0:0::{folder}:/bin/sh\n{''.join(others)}")

    def run(self, name: str, *options: str, **environment: str) -> Finished:
        """Run a verb in a mount namespace where this folder is the user's home."""
        command = ["unshare", "--mount", "bash", "-c", AT_HOME, "bash", str(self._passwd)]
        command += [self.python, str(self.root / "tools" / f"{name}.py"), *options]
        with self.start(*command, PATH=os.environ["PATH"], **environment) as verb:
            return verb.finish(ALL_S)


def inputs(folder: Path) -> dict[str, tuple[int, int]]:
    """The files of an input: the inode of each, and the time of its last change."""
    stats = {name: (folder / name).stat() for name in files_below(folder)}
    return {name: (stat.st_ino, stat.st_ctime_ns) for name, stat in stats.items()}


def test_many_files_over_ssh(vm: Vm, tmp_path: Path) -> None:
    kit = Home(vm, tmp_path / "desk", PROCESSES="12")
    pages.write_folder(kit.input / FOLDER, FILES, small=True)
    end = kit.run("all")
    assert (end.code, end.out) == (0, "")
    assert end.err.startswith(f"{FILES:,} pages: {FILES - 1:,} ok, 1 blank; ")  # and nothing else
    assert end.err.count("\n") == 1
    assert Counter(statuses_in(kit.output).values()) == {"ok": FILES - 1, "blank": 1}
    assert kit.on_vm("docker ps -aq") == ""  # stop: the machine itself stays on
    print("all", end.seconds)

    before = inputs(kit.home("input"))
    assert len(before) == FILES and len("".join(before)) > 1 << 16
    end = kit.run("upload")
    print("unchanged", end.seconds)
    assert (end.code, end.err) == (0, "")
    assert inputs(kit.home("input")) == before

    pages.tiny(FILES).save(kit.input / "new page.png")
    end = kit.run("all")
    print("one new", end.seconds)
    assert (end.code, end.err.count("\n")) == (0, 1)
    after = inputs(kit.home("input"))
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"new page.png"}
    assert statuses_in(kit.output)["new page.png"] == "ok"
