"""make all with TARGET=gcp, ended by a signal: the VM is stopped, whatever the signal."""

import signal
from pathlib import Path

import pytest

from rig.cloud.gce import GceServer
from rig.cloud.toolkit import VM, GceToolkit
from rig.command import wait_until


@pytest.mark.parametrize(
    ("number", "to_all"),
    [(signal.SIGINT, True), (signal.SIGHUP, True), (signal.SIGTERM, True), (signal.SIGTERM, False)],
)
def test_the_vm_is_stopped(
    gce: GceServer, tmp_path: Path, number: signal.Signals, to_all: bool
) -> None:
    """A terminal signals the whole group; `kill` signals only the command."""
    gce.add_instance(VM, status="REPAIRING")  # so that its start waits
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    with kit.verb("all") as job:
        wait_until(lambda: "dots-ocr-lock" in gce.metadata(VM))
        held = len(gce.calls)
        wait_until(lambda: len(gce.calls) > held + 3)  # the start looks at it again and again
        (job.signal_group if to_all else job.process.send_signal)(number)
        end = job.finish()
        job.wait_until_nobody_is_left()
    assert end.code == 130, end.err
    assert (gce.status(VM), kit.calls.count("stop")) == ("TERMINATED", 1)
    assert "dots-ocr-lock" not in gce.metadata(VM)
    assert "Traceback" not in end.err
