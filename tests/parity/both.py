"""Runs the two sides of a comparison: this project's command, and the reference client."""

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image, ImageChops

from rig import replies
from rig.model_server import ModelServer, Request

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "vm_side" / "process_all_images.py"
UPSAMPLE_BELOW = 1_200_000
LAYOUT_ALL = "prompt_layout_all_en"
PLAIN_ENVIRONMENT = {
    "PATH": os.environ.get("PATH", ""),
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}
EMBEDDED = re.compile(r"!\[\]\(data:image/png;base64,([^)]*)\)")


@dataclass(frozen=True)
class Made:
    """What the reference made of one input: the pictures it sent, its files, its last error."""

    sent: list[dict[str, Any]]
    pages: list[dict[str, Any]]
    error: str

    @property
    def cells(self) -> Any:
        """The JSON of the first page: its cells, or the model's own words where those failed."""
        return json.loads(self.pages[0]["json"])

    def size(self, page: int = 0) -> tuple[int, int]:
        """(width, height) of the picture sent."""
        width, height = self.sent[page]["size"]
        return width, height


class Reference:
    """The reference client in its own interpreter, used as a context manager."""

    def __init__(self, python: Path, scratch: Path) -> None:
        self._python = python
        self._scratch = scratch
        self._jobs = 0
        self.prompts: dict[str, str] = {}

    def __enter__(self) -> "Reference":
        self._log = (self._scratch / "reference.log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [self._python, Path(__file__).with_name("reference.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env=PLAIN_ENVIRONMENT,
        )
        self.prompts = self._read()["prompts"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._log.close()

    def read(
        self,
        path: Path,
        answers: list[str] | None = None,
        *,
        upsample: bool = True,
        max_pixels: int = 2_000_000,
        prompt: str = LAYOUT_ALL,
        port: int | None = None,
        pixels: Path | None = None,
        output: Path | None = None,
    ) -> Made:
        """Have the reference read a file; with `port` it asks a server, else it gets `answers`."""
        self._jobs += 1
        job: dict[str, Any] = {
            "input": str(path),
            "output": str(output or self._scratch / str(self._jobs)),
            "max_pixels": max_pixels,
            "upsample": upsample,
            "prompt": prompt,
        }
        job |= {"answers": answers or [layout()]} if port is None else {"port": port}
        if pixels is not None:
            job["pixels"] = str(pixels)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return Made(**self._read())

    def explain(self, path: Path, ours: Image.Image, **options: Any) -> str:
        """In a few words: how our picture differs from the reference's."""
        raw = self._scratch / "pixels.raw"
        size = self.read(path, pixels=raw, **options).size()
        if size != ours.size:
            return f"{ours.size} here, {size} in the reference"
        theirs = Image.frombytes("RGB", size, raw.read_bytes())
        difference = ImageChops.difference(ours.convert("RGB"), theirs)
        return f"differs within {difference.getbbox()} by up to {difference.getextrema()}"

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"the reference ended:\n{self._log.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@dataclass
class Batch:
    """One run of this project's command over a folder."""

    output: Path
    requests: list[Request]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def as_read(self) -> list[str]:
        """The pages in the order in which they were read, one after the other (-p 1)."""
        return sorted(self.records, key=lambda page: self.records[page]["finished_at"])

    def cells(self, page: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.text(page, ".json"))
        return found

    def text(self, page: str, ending: str) -> str:
        return Path(f"{self.output / page}{ending}").read_text(encoding="utf-8")

    def request(self, page: str) -> Request:
        """The request of a page, by the name of its picture that the default answer carries."""
        texts = " ".join(cell.get("text", "") for cell in self.cells(page))
        return next(request for request in self.requests if request.token in texts)

    def answer(self, page: str) -> str:
        """What the server answered for this page, if it has no script."""
        request = self.request(page)
        return replies.default_answer(request.prompt, *request.size, request.token)


def run_ours(server: ModelServer, source: Path, output: Path, *options: str | int) -> Batch:
    """Run the command over a folder, as a user would."""
    server.reset()
    command = [sys.executable, COMMAND, "--input", source, "--output", output, "--witness", "off"]
    command += ["--pictures", "inline"]
    done = subprocess.run(
        [*map(str, (*command, "--endpoint", server.url, *options))],
        capture_output=True,
        text=True,
        env=PLAIN_ENVIRONMENT,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    lines = (output / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    records = {record["page"]: record for record in map(json.loads, lines)}
    return Batch(output, server.requests, records)


def decoded(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return image


def fingerprint(image: Image.Image) -> str:
    """The SHA-256 of a picture's RGB pixels."""
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def comparable(markdown: str) -> str:
    """Markdown with each embedded picture replaced by its size and a hash of its pixels."""

    def named(match: re.Match[str]) -> str:
        picture = decoded(base64.b64decode(match[1]))
        return f"![]({picture.size} {fingerprint(picture)})"

    return EMBEDDED.sub(named, markdown)


def result_of(name: str) -> str:
    """Where the results of a picture at the top of the input go, without ending."""
    stem = Path(name).stem
    return f"{stem}/{stem}"


def layout(*cells: dict[str, Any]) -> str:
    """An answer of the model."""
    box = {"bbox": [10, 20, 300, 400], "category": "Text", "text": "A page."}
    return json.dumps(cells or (box,), ensure_ascii=False)
