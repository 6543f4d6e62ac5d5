"""Only one batch at a time writes a manifest; a second one gets an error and changes nothing."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from results import manifest as module
from results.manifest import Manifest
from rig.records import lines

HOLDER = """
import sys, time
from pathlib import Path
from results.manifest import Manifest, Record
with Manifest(Path(sys.argv[1])) as manifest:
    manifest.add(Record("a/a", "a.png", None, "ok"))
    print("open", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def holder(folder: Path) -> Any:
    """Another process that keeps the manifest of this folder open."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(module.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"open\n"
            yield process
        finally:
            process.kill()


def test_a_second_batch_is_told_who_writes_and_since_when(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        with pytest.raises(BlockingIOError) as error:
            Manifest(tmp_path)
        pattern = r"(.*) is being written by process (\d+), since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
        found = re.fullmatch(pattern, str(error.value))
        assert found
        assert (found[1], found[2]) == (str(tmp_path), str(process.pid))
        began = time.mktime(time.strptime(found[3], "%Y-%m-%d %H:%M:%S"))
        assert abs(time.time() - began) < 60
        assert [line["input"] for line in lines(tmp_path)] == ["a.png"], "a refusal changes nothing"


def test_the_lock_goes_with_its_holder_however_that_ends(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Manifest(tmp_path) as manifest:
            assert list(manifest.records) == [("a.png", None)]


def test_the_lock_is_given_back_at_the_end(tmp_path: Path) -> None:
    for _ in range(3):
        with Manifest(tmp_path) as manifest:
            with pytest.raises(BlockingIOError) as error:
                Manifest(tmp_path)
            assert re.fullmatch(rf".* by process {os.getpid()}, since [-0-9 :]*", str(error.value))
            manifest.finish([])


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Manifest(tmp_path):
        raise KeyError
    with Manifest(tmp_path):
        pass
