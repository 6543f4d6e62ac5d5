"""Four simulated machines with a bucket: one dies, one is cut off, and one comes late."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest

from lib.machines.gcp.bucket import Bucket
from rig import pages
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gcs import GcsServer
from rig.cloud.island import Island
from rig.cloud.leftovers import Leftovers
from rig.cloud.network import Network
from rig.command import Batch, records_in, wait_until
from rig.fleet import FleetRig, Node
from rig.toolkit import files_below

PAGES, THREADS = 240, 16
CUT_S = 8
L4 = ("--max-num-seqs", str(THREADS), "--speedup", "3")


@dataclass
class Machine:
    """A node on an island with its own simulated L4."""

    island: Island
    gpu: Popen[str]
    node: Node
    record: Path

    @property
    def asked(self) -> list[str]:
        """The hashes of the pictures that its model was asked about."""
        return self.record.read_text().split()

    def kill(self) -> None:
        """Kill all of it, as when a spot machine goes without a message."""
        end(self.gpu)
        self.node.kill()


def end(process: Popen[str]) -> None:
    """Kill it and close its pipe."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


class Machines:
    """Islands on one network, with a scheduler and a bucket on the host."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._leftovers = stack.enter_context(Leftovers())
        self._network = Network(self._leftovers)
        gateway = self._network.gateway
        self.gcs = stack.enter_context(
            GcsServer(folder / "gcs", bind=gateway, leftovers=self._leftovers)
        )
        self.gcs.make_bucket("pages")
        self._monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        self._monkeypatch.setenv("STORAGE_EMULATOR_HOST", self.gcs.url)
        self.fleet = stack.enter_context(FleetRig(folder / "fleet", gateway))
        self.all: list[Machine] = []

    def add(self) -> Machine:
        """Add a machine; its node joins when it is ready."""
        island = self._stack.enter_context(Island(self._network, self._leftovers))
        record = self._folder / f"asked{len(self.all)}"
        gpu, url = island.start_gpu(record, *L4)
        self._stack.callback(end, gpu)
        node = self.fleet.add_node(THREADS, url, island.prefix, island.address)
        machine = Machine(island, gpu, node, record)
        self.all.append(machine)
        return machine

    @property
    def asked(self) -> int:
        """The number of requests to all models."""
        return sum(len(machine.asked) for machine in self.all)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with contextlib.ExitStack() as stack:
        with skipped_where_unavailable():
            machines = Machines(tmp_path, stack)
        yield machines


def write_pages(folder: Path) -> list[str]:
    """Pages that differ in the place of a square; answers of 200 to 2,000 tokens."""
    drawn = [pages.article(40, seed) for seed in range(20)]
    folder.mkdir()
    for number in range(PAGES):
        page = drawn[number % len(drawn)].copy()
        x, y = number % 60 * 5, number // 60 * 5
        page.paste(0, (x, y, x + 5, y + 5))
        page.save(folder / f"page{number}.png")
    return files_below(folder)


def test_a_node_dies_one_is_cut_off_and_one_comes_late(machines: Machines, tmp_path: Path) -> None:
    doomed, cut_off, _ = (machines.add() for _ in range(3))
    batch = Batch(tmp_path, "http://127.0.0.1:9")  # each node has its own endpoint
    names = write_pages(batch.input)
    bucket = Bucket("gs://pages")
    bucket.mirror_up(batch.input, names, "input")

    options = ("--scheduler", machines.fleet.url, "--state", str(tmp_path / "state"))
    environment = {"INPUT": "gs://pages/input", "OUTPUT": "gs://pages/result"}
    with batch.start(*options, environment=environment) as running:
        wait_until(lambda: machines.asked > PAGES / 5)
        doomed.kill()
        cut_off.island.cable.cut()
        before = len(cut_off.asked)
        late = machines.add()
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: running.process.poll() is not None, CUT_S)
        assert running.process.poll() is None, "over before the cut was"
        cut_off.island.cable.uncut()
        finished = running.finish(120)
    assert (finished.code, finished.err) == (0, "")

    manifest = bucket.read_text("result/manifest.jsonl")
    records = [json.loads(line) for line in manifest.splitlines()]
    assert records == records_in(tmp_path / "state")
    assert Counter(record["status"] for record in records) == {"ok": PAGES}
    assert sorted(record["input"] for record in records) == names
    assert len(machines.gcs.names("pages", "result/")) == 3 * PAGES + 2
    times = Counter(picture for machine in machines.all for picture in machine.asked)
    assert len(times) == PAGES
    assert times.total() - PAGES <= THREADS, "more than the lost node had in hand"
    assert late.asked and len(cut_off.asked) > before

    again = batch.run(*options, environment=environment)  # it reads the manifest, and no model
    assert (again.code, machines.asked) == (0, times.total())
