"""The command on a fleet: nodes that die, leave or lose their model, and a dead scheduler."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest
from distributed import Client

from rig import worker_functions as functions
from rig.command import Batch, batch_of, hang_while, results_in, wait_until
from rig.fleet import FleetRig
from rig.model_server import ModelServer
from rig.replies import Reply
from server.in_flight import QUEUE

PAGES = 24


def slow(seconds: float = 0.3) -> ModelServer:
    """A server with a delay."""
    return ModelServer(latency_s=seconds)


def tokens_of(*servers: ModelServer) -> Counter[str]:
    """How often each picture was requested."""
    return Counter(request.token for server in servers for request in server.requests)


def test_a_fleet_without_nodes_says_so(fleet: FleetRig, tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        finished = batch.run_here("--scheduler", fleet.url, "--ready-timeout", "1")
        assert finished.code == 1 and "no node at tls://" in finished.err
        assert server.requests == []


def test_a_node_without_our_code_is_not_waited_for_for_ever(
    fleet: FleetRig, tmp_path: Path
) -> None:
    """Dask removes such a node as soon as it cannot read what it gets."""
    fleet.add_node(code="")
    with batch_of(tmp_path, 2) as (batch, _):
        finished = batch.run_here("--scheduler", fleet.url, "--ready-timeout", "5")
        assert finished.code == 1 and "Traceback" not in finished.err
        assert f"no node at {fleet.url} for 5 s" in finished.err


def test_a_killed_scheduler_is_a_clear_error_and_the_next_run_does_the_rest(
    fleet: FleetRig, tmp_path: Path
) -> None:
    with slow() as server:
        batch = batch_for(tmp_path, server)
        fleet.add_node()
        with batch.start("--scheduler", fleet.url) as running:
            server.wait_until(lambda: len(server.requests) > PAGES / 2)
            fleet.scheduler.kill()
            finished = running.finish()
        assert finished.code == 1 and "Traceback" not in finished.err
        assert finished.err.startswith(f"the scheduler at {fleet.url} is gone")
        assert "run again for the rest" in finished.err
        done = batch.summary["ok"]
        assert 0 < done < PAGES and batch.summary["left"] == PAGES - done

        fleet.nodes[0].kill()  # it would wait for the old scheduler
        before = len(server.requests)
        fleet.start_scheduler()
        fleet.add_node()
        assert batch.run_here("--scheduler", fleet.url).code == 0
        assert set(batch.statuses().values()) == {"ok"}
        assert len(server.requests) - before == PAGES - done


def test_the_pages_of_a_preempted_node_go_to_others_at_once(
    fleet: FleetRig, tmp_path: Path
) -> None:
    with ModelServer() as going, slow(0.1) as staying:
        going.script = hang_while(lambda request: True)
        batch = batch_for(tmp_path, staying)
        node = fleet.add_node(threads=4, endpoint=going.url)
        with batch.start("--scheduler", fleet.url) as running:
            going.wait_until(lambda: going.in_flight == 4)
            fleet.add_node(threads=2, endpoint=staying.url)
            staying.wait_until(lambda: len(staying.requests) > 2)
            node.terminate()  # as systemd does when the machine is told to go
            finished = running.finish(30)  # far below any timeout of Dask's or of ours
        assert (finished.code, finished.err) == (0, "")
        assert set(batch.statuses().values()) == {"ok"}
        assert len(staying.requests) == PAGES


def test_each_node_has_as_many_pages_as_its_own_server_takes(
    fleet: FleetRig, tmp_path: Path
) -> None:
    """The other node makes no difference, and no node is given a number."""
    small, large = ModelServer(max_num_seqs=4), ModelServer()
    with small, large:
        small.script = large.script = hang_while(lambda request: True)
        batch = Batch(tmp_path, "http://127.0.0.1:9")
        batch.write_pages(100)
        for server in (small, large):
            fleet.add_node(threads=48, endpoint=server.url)
        with batch.start("--scheduler", fleet.url) as running:
            large.wait_until(lambda: large.in_flight == 48, 60)
            small.wait_until(lambda: small.in_flight == 4 + QUEUE, 60)
            os.kill(running.pid, signal.SIGTERM)
            assert running.finish().code == 130
        assert small.max_in_flight <= 4 + 2 * QUEUE


def test_nodes_without_work_leave_before_the_last_page_is_done(
    fleet: FleetRig, tmp_path: Path
) -> None:
    last = threading.Event()
    with slow(0.1) as quick, ModelServer() as other:
        other.script = lambda request: Reply(fault="hang") if not last.is_set() else Reply()
        batch = batch_for(tmp_path, quick)
        fleet.add_node(threads=1, endpoint=other.url)
        with batch.start("--scheduler", fleet.url) as running:
            other.wait_until(lambda: other.in_flight == 1)
            idle = [fleet.add_node(threads=2, endpoint=quick.url) for _ in range(2)]
            head = fleet.add_node(threads=2, endpoint=quick.url, leaves=False)
            wait_until(lambda: all(node.was_sent_away and node.has_ended for node in idle))
            assert running.process.poll() is None
            assert not head.has_ended and not fleet.nodes[0].was_sent_away
            fleet.nodes[0].kill()  # the last page goes to the node that stays
            assert running.finish().code == 0
        assert set(batch.statuses().values()) == {"ok"}


def test_one_of_the_idle_stays_where_all_may_leave(fleet: FleetRig, tmp_path: Path) -> None:
    with slow(0.1) as quick, ModelServer() as other:
        other.script = hang_while(lambda request: True)
        batch = batch_for(tmp_path, quick)
        busy = fleet.add_node(threads=1, endpoint=other.url)
        with batch.start("--scheduler", fleet.url) as running:
            other.wait_until(lambda: other.in_flight == 1)
            idle = [fleet.add_node(threads=2, endpoint=quick.url) for _ in range(2)]
            wait_until(lambda: sum(node.has_ended for node in idle) == 1)
            busy.kill()
            assert running.finish().code == 0
        assert sum(node.was_sent_away for node in idle) == 1


@pytest.mark.parametrize("hangs", [False, True], ids=["dies", "hangs"])
def test_a_node_whose_model_dies_gives_its_pages_to_others(
    fleet: FleetRig, tmp_path: Path, hangs: bool
) -> None:
    with slow(0.2) as dying, slow(0.2) as living:
        batch = batch_for(tmp_path, living)
        node = fleet.add_node(threads=2, endpoint=dying.url)
        fleet.add_node(threads=2, endpoint=living.url)
        fleet.wait_for(2)
        options = ("--scheduler", fleet.url, "--ready-timeout", "3", "--request-timeout", "2")
        with batch.start(*options) as running:
            dying.wait_until(lambda: len(dying.requests) > 3)
            if hangs:  # its /health is good
                dying.script = hang_while(lambda request: True)
            else:
                dying.die()
            assert running.finish().code == 0
        assert set(batch.statuses().values()) == {"ok"}
        assert sum(count - 1 for count in tokens_of(dying, living).values()) <= 3 * 2
        wait_until(lambda: node.has_ended)


def test_the_last_node_that_loses_its_model_ends_the_batch(fleet: FleetRig, tmp_path: Path) -> None:
    """As with the pool: the next run reads what is left, and nothing waits for ever."""
    with slow(0.2) as server:
        batch = batch_for(tmp_path, server)
        fleet.add_node(threads=8)
        assert batch.run_here("--scheduler", fleet.url).code == 0
        before = len(server.requests)
        with batch.start("--scheduler", fleet.url, "--ready-timeout", "2", "--force") as running:
            server.wait_until(lambda: len(server.requests) > before + 9)
            server.die()
            finished = running.finish(30)
        assert finished.code == 1 and "the last node has lost its model server" in finished.err
        assert batch.summary["ok"] == PAGES  # some pages are from the first run
        assert batch.summary["run"]["failed"] == 0 < batch.summary["run"]["pages"] < PAGES


def test_another_batch_of_the_same_scheduler_is_left_alone(fleet: FleetRig, tmp_path: Path) -> None:
    with ModelServer() as hanging, ModelServer() as server:
        hanging.script = hang_while(lambda request: True)
        one, two = batch_for(tmp_path / "one", hanging), batch_for(tmp_path / "two", server)
        fleet.add_node(threads=1)
        with one.start("--scheduler", fleet.url) as ended:
            hanging.wait_until(lambda: hanging.in_flight == 1)
            with two.start("--scheduler", fleet.url) as running:
                with Client(fleet.url, set_as_default=False) as client:
                    wait_until(lambda: len(client.run_on_scheduler(functions.tasks_known)) > 1)
                os.kill(ended.pid, signal.SIGTERM)
                assert ended.finish().code == 130
                finished = running.finish()
        assert (finished.code, finished.err) == (0, "")
        assert set(two.statuses().values()) == {"ok"}


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_a_signal_ends_the_batch_and_the_work_of_its_nodes(
    fleet: FleetRig, tmp_path: Path, number: signal.Signals
) -> None:
    with ModelServer() as server:
        server.script = hang_while(lambda request: request.number > 5)
        batch = batch_for(tmp_path, server)
        fleet.add_node()
        with batch.start("--scheduler", fleet.url) as running:
            server.wait_until(lambda: server.in_flight == 2)
            os.kill(running.pid, number)
            finished = running.finish()
        assert finished.code == 130 and "Traceback" not in finished.err
        server.wait_until(lambda: server.in_flight == 0)
        assert batch.summary["ok"] == 6 and batch.summary["left"] == PAGES - 6
        server.script = None
        before = len(server.requests)
        assert batch.run_here("--scheduler", fleet.url).code == 0
        assert len(server.requests) - before == PAGES - 6


def test_results_are_those_of_the_pool(fleet: FleetRig, tmp_path: Path) -> None:
    with batch_of(tmp_path, 6) as (batch, _):
        fleet.add_node()
        assert batch.run_here("--images").code == 0
        alone = results_in(batch.output)
        other = Batch(tmp_path / "other", batch.url)
        other.folder.mkdir()
        batch.input.rename(other.input)
        assert other.run_here("--images", "--scheduler", fleet.url).code == 0
        assert results_in(other.output) == alone


def test_a_killed_command_is_gone_on_with(fleet: FleetRig, tmp_path: Path) -> None:
    with slow(0.2) as server:
        batch = batch_for(tmp_path, server)
        fleet.add_node()
        with batch.start("--scheduler", fleet.url) as running:
            server.wait_until(lambda: len(server.requests) > PAGES / 2)
            running.process.kill()
            running.finish()
        assert batch.run_here("--scheduler", fleet.url).code == 0
        assert set(batch.statuses().values()) == {"ok"}
        # those in hand, and one without a written line
        assert len(server.requests) <= PAGES + 2 + 1


def test_a_budget_is_for_all_machines_that_bill(fleet: FleetRig, tmp_path: Path) -> None:
    """Also for machines that are no node yet. A page that hangs at the end is left."""
    with ModelServer() as server:
        server.script = hang_while(lambda request: request.number > 5)
        batch = batch_for(tmp_path, server)
        fleet.add_node(threads=2)
        fleet.wait_for(1)
        prices = {"PRICE_PER_HOUR": "3600", "PRICE_PER_WORKER_HOUR": "7200"}  # 7 USD a second
        options = ("--scheduler", fleet.url, "--workers", "3", "--budget", "70")
        finished = batch.run(*options, environment=prices)
        assert finished.code == 3, finished.err
        assert batch.summary["run"]["seconds"] < 0.8 * 70, "this machine alone would be paid"
        left = PAGES - batch.summary["ok"]  # 6 of them, unless this computer is very slow
        assert batch.summary["left"] == left >= PAGES - 6
        assert f"BUDGET: {left} pages are left, at " in finished.err
        server.wait_until(lambda: server.in_flight == 0, 15)


def batch_for(folder: Path, server: ModelServer) -> Batch:
    """A batch of small pages."""
    folder.mkdir(exist_ok=True)
    batch = Batch(folder, server.url)
    batch.write_pages(PAGES)
    return batch
