"""Dask instead of the pool: what happens to a task, whatever happens to its node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from distributed import Client, cfexecutor
from tornado import gen

from rig import worker_functions as functions
from rig.command import wait_until
from rig.fleet import FleetRig
from workers.fleet import Fleet
from workers.interrupt import Interrupt
from workers.pool import Crash, PoolError


@pytest.fixture
def one_node(scheduler: FleetRig) -> FleetRig:
    """A fleet of one node, for tests that do not harm it; the first other test removes it."""
    if not scheduler.nodes:
        scheduler.add_node()
    return scheduler


def run(fleet: FleetRig, tasks: list[Any], function: Any, *arguments: Any) -> list[tuple[Any, Any]]:
    with Fleet(fleet.url, 30) as client, Interrupt() as interrupt:
        return list(client.run(tasks, function, arguments, interrupt))


def test_every_task_comes_back_once_with_its_result(one_node: FleetRig) -> None:
    """Or with its exception, which affects no other task."""
    pairs = run(one_node, list(range(200)), functions.doubler)
    assert sorted(pairs) == [(number, 2 * number) for number in range(200)]
    ((task, crash),) = run(one_node, ["page"], functions.raiser)
    assert task == "page" and isinstance(crash, Crash)
    assert crash.reason.startswith("unexpected ValueError: no page at worker_functions.py:")


def test_no_more_tasks_are_given_out_than_there_are_threads(one_node: FleetRig) -> None:
    known = []
    with (
        Fleet(one_node.url, 30) as client,
        Client(one_node.url, set_as_default=False) as watcher,
        Interrupt() as interrupt,
    ):
        for _ in client.run(list(range(40)), functions.napper, (0.02,), interrupt):
            known.append(len(watcher.run_on_scheduler(functions.tasks_known)))
    assert len(known) == 40 and 2 <= max(known) <= 2 + 1  # the last one's result may still be there


def test_a_node_does_not_watch_its_own_threads(one_node: FleetRig) -> None:
    """Dask would look at all 256 threads 100 times a second."""
    with Client(one_node.url, set_as_default=False) as client:
        client.wait_for_workers(1)
        (callbacks,) = client.run(functions.done_ever_again).values()
        assert "heartbeat" in callbacks and "profile" not in callbacks
        assert callbacks["tick"] == 500


def test_a_node_draws_no_dashboard(one_node: FleetRig) -> None:
    """Nobody looks at it, and it costs half a second of CPU time at each start."""
    with Client(one_node.url, set_as_default=False) as client:
        assert list(client.run(functions.drawing).values()) == [[]]


def test_a_result_that_went_with_its_node_is_asked_for_again(
    one_node: FleetRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask reads a task's state after its result, and a node may leave between the two."""
    left = ["page 0"]

    @gen.coroutine
    def cascade(future: Any, ours: Any) -> Any:
        result = yield future._result(raiseit=False)
        if left and left.pop():
            ours.set_exception(ValueError("not enough values to unpack (expected 3, got 2)"))
        else:
            ours.set_result(result)

    monkeypatch.setattr(cfexecutor, "_cascade_future", cascade)
    tasks = ["page 0", "page 1"]
    assert sorted(task for task, _ in run(one_node, tasks, functions.loser_at, "nowhere")) == tasks


def test_a_task_that_kills_its_node_twice_is_done_by_the_third(
    fleet: FleetRig, tmp_path: Path
) -> None:
    """Dask restarts the node's process; the other tasks are done in the meantime."""
    fleet.add_node(threads=1, workers=2)
    tasks = [("killer", 2), *((f"page{number}", 0) for number in range(20))]
    pairs = run(fleet, tasks, functions.dier, tmp_path)
    assert sorted(pairs) == sorted((task, task[0]) for task in tasks)


def test_a_task_that_one_node_cannot_do_goes_to_another(fleet: FleetRig, tmp_path: Path) -> None:
    useless, _ = fleet.add_node(threads=1), fleet.add_node(threads=1)
    fleet.wait_for(2)
    pairs = run(fleet, list(range(10)), functions.loser_at, str(useless.leave_file))
    assert sorted(task for task, _ in pairs) == list(range(10))
    assert not any(isinstance(result, Crash) for _, result in pairs)
    wait_until(lambda: useless.has_ended)


def test_a_task_that_no_node_can_do_is_given_up(fleet: FleetRig) -> None:
    fleet.add_node(threads=1, workers=4, leaves=False)  # otherwise idle nodes would be sent away
    fleet.wait_for(4)  # the last node that loses the task would end the batch
    ((_, crash),) = run(fleet, ["page"], functions.loser_at, "")
    assert crash == Crash("3 nodes lost their model server: it is gone")


def test_a_node_without_a_server_is_not_believed(fleet: FleetRig) -> None:
    """A node that was asked and has lost its server leaves, and another one is asked."""
    useless, _ = fleet.add_node(threads=1), fleet.add_node(threads=1)
    fleet.wait_for(2)
    with Fleet(fleet.url, 30) as client:
        for number in range(6):  # often enough to ask both
            given = (str(useless.leave_file), number)
            assert client.call(functions.without_server_at, *given) == number
        wait_until(lambda: useless.has_ended)


@pytest.mark.usefixtures("scheduler")  # it brings the certificate that the client needs
def test_no_scheduler_at_all() -> None:
    with pytest.raises(PoolError, match=r"the scheduler at tls://127\.0\.0\.1:9 is gone"):
        Fleet("tls://127.0.0.1:9", 1)
