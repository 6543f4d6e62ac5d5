"""Only who shows the fleet's certificate may speak to it, because it can then run anything."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, Security
from distributed.comm.core import connect

from rig.fleet import FleetRig, Node, Stranger, make_certificate
from rig.programs import needed
from rig.tls import certificate

REFUSED_S = 60.0  # enough for a busy machine; a refusal comes at once


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetRig]:
    """A scheduler and a node."""
    with FleetRig(tmp_path_factory.mktemp("fleet")) as rig:
        rig.add_node()
        rig.wait_for(1)
        yield rig


@pytest.fixture(scope="module")
def addresses(fleet: FleetRig) -> list[str]:
    """The addresses of all that listen: the scheduler, the worker, and the worker's nanny."""
    with Client(fleet.url, set_as_default=False) as client:
        ((worker, about),) = client.scheduler_info()["workers"].items()
    return [fleet.url, worker, about["nanny"]]


@pytest.fixture
def strangers(tmp_path: Path) -> list[tuple[str, Stranger]]:
    """The strangers: (protocol, what they show)."""
    foreign = certificate(tmp_path)
    # another certificate with the same name
    twin = make_certificate(tmp_path / "twin").parent / "home/.dots-ocr/fleet.pem"
    return [
        ("tcp", Stranger()),
        ("tls", Stranger()),
        ("tls", Stranger(foreign.certificate, foreign.key)),
        ("tls", Stranger(twin)),
    ]


def ask(address: str, security: Security) -> Any:
    """A server's answer to the simplest question."""

    async def talk() -> Any:
        options = security.get_connection_args("client")
        comm = await connect(address, timeout=REFUSED_S, **options)
        try:
            await comm.write({"op": "identity", "reply": True})
            return await asyncio.wait_for(comm.read(), REFUSED_S)
        finally:
            comm.abort()

    return asyncio.run(talk())


def test_a_stranger_is_refused_by_all_that_listen(
    addresses: list[str], strangers: list[tuple[str, Stranger]]
) -> None:
    for address in addresses:
        assert ask(address, Security())["id"]  # with our certificate it answers
        for protocol, stranger in strangers:
            with pytest.raises(OSError):
                ask(address.replace("tls", protocol), stranger)


def test_a_strangers_client_runs_nothing(
    fleet: FleetRig, strangers: list[tuple[str, Stranger]], tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    for protocol, stranger in strangers:
        url = fleet.url.replace("tls", protocol)
        with pytest.raises(OSError), Client(url, security=stranger, timeout=REFUSED_S) as client:
            client.run_on_scheduler(mark.touch)
    assert not mark.exists()
    with Client(fleet.url, set_as_default=False) as client:
        client.run_on_scheduler(mark.touch)
    assert mark.exists()


def listening(node: Node) -> set[str]:
    """The addresses at which a node's processes listen."""
    command = [needed("ss", "iproute2"), "-ltnpH"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ours = [f"pid={pid}," for pid in node.members()]
    lines = [line for line in done.stdout.splitlines() if any(pid in line for pid in ours)]
    return {line.split()[3].rpartition(":")[0] for line in lines}


def test_a_node_listens_nowhere_else(fleet: FleetRig) -> None:
    """Also its small web server, which --no-dashboard alone leaves open to all."""
    assert listening(fleet.nodes[0]) == {"127.0.0.1"}


def test_the_certificate_is_made_once_and_for_its_user_alone(tmp_path: Path) -> None:
    pem = make_certificate(tmp_path).parent / "home/.dots-ocr/fleet.pem"
    first = pem.read_text()
    assert first.count("BEGIN") == 2
    assert make_certificate(tmp_path) and pem.read_text() == first
    assert (pem.stat().st_mode & 0o777, pem.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    left = {path.name for path in pem.parent.iterdir()}
    assert left == {"fleet.pem", "fleet.lock", "fleet.log"}
