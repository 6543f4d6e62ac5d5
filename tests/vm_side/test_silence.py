"""A server that hangs while its /health is good: the batch ends, and its pages are left.

For a fleet, where it costs a node, see workers/test_fleet_command.py. For single pages that hang,
see test_faults.py and test_process_all_images.py.
"""

from __future__ import annotations

import time
from pathlib import Path

from rig.command import batch_of, hang_while
from server.silence import Silence


def test_a_server_that_hangs_ends_the_batch(tmp_path: Path) -> None:
    with batch_of(tmp_path, 8) as (batch, server):
        server.script = hang_while(lambda request: request.number >= 3)
        finished = batch.run_here("-p", "1", environment={"REQUEST_TIMEOUT": "1"})
        assert finished.code == 1 and "though its /health is well" in finished.err
        assert sorted(batch.statuses().values()) == ["left"] * 5 + ["ok"] * 3
        # pages that waited in vain, and the request for one token
        begun = len(server.requests) - (3 + 2)
        assert begun in (0, 1)  # a worker may get its next page before the last one is judged
        server.script = None
        assert batch.run_here().code == 0


def test_silence_lasts_until_it_is_ended() -> None:
    silence = Silence()
    time.sleep(0.02)
    before = silence.seconds
    silence.end()
    assert silence.seconds < 0.02 <= before
