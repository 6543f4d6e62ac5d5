"""A batch of one true page in two sizes; the real witnesses look at the answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.command import Batch, Finished
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.true_page import true_page

PICTURE, CELLS = true_page(dpi=110)


@contextmanager
def two_scans(folder: Path) -> Iterator[tuple[Batch, ModelServer]]:
    """The page as a.png, and a smaller scan of it as b.png; and the model server."""
    with ModelServer() as server:
        batch = Batch(folder, server.url)
        batch.input.mkdir()
        PICTURE.save(batch.input / "a.png")
        PICTURE.resize([side * 9 // 10 for side in PICTURE.size]).save(batch.input / "b.png")
        yield batch, server


def is_larger(request: Request) -> bool:
    """Whether the request is about a.png."""
    return request.size[0] > 0.95 * PICTURE.width


def run(batch: Batch, **knobs: str) -> Finished:
    """Read the batch, with the witnesses that look at the ink."""
    return batch.run_here(environment={"WITNESS": "ink", **knobs})
