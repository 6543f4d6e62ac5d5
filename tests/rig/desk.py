"""A machine's results, and the OUTPUT folder to which they are brought."""

import json
from pathlib import Path
from typing import Any

from lib.corrected import corrected
from lib.home import bring_home
from lib.knobs import Knobs
from lib.machines.local import LocalMachine
from lib.machines.machine import Moved
from lib.results import read_lines, text_of
from picture_files import picture_paths
from rig.command import records_in
from rig.toolkit import files_below, line


class Desk:
    """A machine's results, and OUTPUT."""

    def __init__(self, folder: Path) -> None:
        self.output, self.result = folder / "out", folder / "machine" / "result"
        self.knobs = Knobs(
            target="local", output=str(self.output), machine_dir=str(folder / "machine")
        )
        self._times = iter(range(1, 1000))

    def reads(self, *lines: dict[str, Any], text: str = "read") -> None:
        """Write the machine's manifest, and the files of the pages that are done.

        `text` is what was read on each of these pages.
        """
        self.result.mkdir(parents=True, exist_ok=True)
        stamped = [{"finished_at": float(next(self._times)), **entry} for entry in lines]
        manifest = "".join(json.dumps(entry) + "\n" for entry in stamped)
        (self.result / "manifest.jsonl").write_text(manifest)
        for entry in lines:
            if entry["status"] == "ok":
                self.write(self.result, entry["page"], text)
                for path in picture_paths(entry["page"], entry.get("pictures")):
                    (self.result / path).parent.mkdir(exist_ok=True)
                    (self.result / path).write_text(f"{text}: a picture")

    def write(self, folder: Path, page: str, text: str) -> None:
        """Write the files of a page."""
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        for ending in (".md", "_nohf.md"):
            (folder / f"{page}{ending}").write_text(text)
        (folder / f"{page}.json").write_text(json.dumps([{"text": text}]))

    def brings(self, failed: int = 0) -> Moved:
        _, moved = bring_home(LocalMachine(self.knobs), self.knobs)
        assert len(moved.failed) == failed, moved.failed
        return moved

    def corrects(self, page: str, text: str) -> None:
        """Leave what `make apply` leaves for a corrected page."""
        self.write(self.output, page, text)
        manifest = self.output / "manifest.jsonl"
        lines = [
            corrected(one, 1, 9.5, {}) if one.page == page else one
            for one in read_lines(manifest.read_text())
        ]
        manifest.write_text(text_of(lines))

    def md(self, page: str) -> str:
        return (self.output / f"{page}.md").read_text()

    @property
    def inputs(self) -> list[tuple[str, int | None]]:
        """The input and PDF page of each line of OUTPUT's manifest."""
        return [(entry["input"], entry["pdf_page"]) for entry in records_in(self.output)]

    def old(self) -> dict[str, str]:
        """The older versions that were kept beside the results: name to text."""
        names = [name for name in files_below(self.output) if ".old" in name]
        return {name: (self.output / name).read_text() for name in names}


def page(name: str, sha256: str = "1", **more: Any) -> dict[str, Any]:
    """Return the manifest line of a picture `name`; its results are named by its stem."""
    stem = name.rpartition(".")[0]
    return line(f"{stem}/{stem}", name, sha256=sha256, **more)


def pdf(count: int, sha256: str) -> list[dict[str, Any]]:
    return [
        line(f"r/r_page_{i}", "r.pdf", pdf_page=i, sha256=sha256, pdf_pages=count)
        for i in range(count)
    ]
