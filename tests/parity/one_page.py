"""One page, or one answer, on both sides."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from parity.both import Batch, Made, Reference, decoded, run_ours
from rig.model_server import ModelServer, Reply
from rig.pages import article
from rig.replies import in_turn

SIZE = (414, 585)  # article(50)


@dataclass(frozen=True)
class Both:
    """Reads one page with both clients."""

    reference: Reference
    server: ModelServer
    folder: Path

    def picture(self, path: Path, *options: str | int, **job: Any) -> tuple[Image.Image, Made]:
        """Our picture, as it arrived, and what the reference made of the same file."""
        self.server.script = None
        run = run_ours(self.server, path.parent, self.folder / "out", *options)
        (request,) = run.requests
        return decoded(request.picture), self.reference.read(path, **job)

    def answer(self, *answers: str, mode: str = "layout_all", **job: Any) -> tuple[Batch, Made]:
        """What both make of these answers to page.png; the reference asks once."""
        path = self.page()
        self.server.script = in_turn(*map(Reply, answers))
        options = ("--prompt-mode", mode, "--retries", len(answers) - 1)
        run = run_ours(self.server, path.parent, self.folder / "out", *options)
        return run, self.reference.read(path, list(answers), **job)

    def page(self, name: str = "page.png") -> Path:
        """Write an A4 page of SIZE."""
        path = self.input / name
        article(50, 1).save(path)
        return path

    @property
    def input(self) -> Path:
        """The folder of what both read."""
        folder = self.folder / "in"
        folder.mkdir(exist_ok=True)
        return folder


def cell(**changes: Any) -> dict[str, Any]:
    """One that is right, but for these changes."""
    return {"bbox": [84, 62, 700, 400], "category": "Text", "text": "text", **changes}


def is_lost(made: Made) -> bool:
    """Whether the reference wrote the model's words in the place of cells."""
    return bool(made.pages and made.pages[0]["filtered"] and isinstance(made.cells, str))


def markdown(run: Batch) -> str:
    """Ours, of page.png."""
    return run.text("page/page", ".md")
