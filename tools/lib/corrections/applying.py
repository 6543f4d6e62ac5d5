"""Put corrections into OUTPUT: the pages' files, their lines in the manifest, and the counts."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import DRAWING_ENDING, MANIFEST, PASSWORD, PASSWORD_FILE, SUMMARY
from lib import checked, files, results
from lib.alone import alone_in
from lib.console import Failure, run_child
from lib.corrected import corrected
from lib.corrections.file import Correction, fault_of, is_applied
from lib.knobs import ROOT, Knobs, pdf_password
from lib.pages.entries import LEFT_OUT, candidates_in
from lib.results import Line
from lib.standing import old_name

WRITER = ROOT / "vm_side" / "write_corrected.py"
JSON = ".json"
ANEW = ".corrected-"  # prefix of the folder in which pages are written again

OUTSIDE = "a link in OUTPUT leads out of it"
NOT_WRITTEN: dict[str, Any] = {"files": [], "fault": "it was not written: see above"}

Key = tuple[str, int | None]


@dataclass
class Applied:
    """What happened to corrections: how many were new or known, and which were refused and why."""

    new: int = 0
    known: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def apply(
    corrections: Iterable[Correction], output: Path, source: Path | None, knobs: Knobs
) -> Applied:
    """Apply corrections to the results in output; source is the folder of INPUT, if it is there.

    If a page has several corrections, the last one counts. Raises Failure.
    """
    if not results.read_text(output / MANIFEST):
        raise Failure(f"OUTPUT {output} has no results", "give the OUTPUT that was corrected")
    with alone_in(output):
        return apply_alone(corrections, output, source, knobs)


def apply_alone(
    corrections: Iterable[Correction], output: Path, source: Path | None, knobs: Knobs
) -> Applied:
    """Do what apply() does, while no other process writes in OUTPUT."""
    for path in output.glob(f"{ANEW}*"):  # left by a process that was killed
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
    before, damaged = results.read_manifest(output)
    results.say_damaged(output, damaged, LEFT_OUT)
    found, lines = Applied(), {line.key: line for line in before}
    wanted = list[Correction]()
    for correction in {one.key: one for one in corrections}.values():
        line = lines.get(correction.key)
        answer = read_answer(output, line)
        cells = candidates_in(answer)
        if is_applied(correction, line, cells):
            found.known += 1
        elif fault := fault_in(correction, line, answer, cells):
            found.refused[correction.page] = fault
        else:
            wanted.append(correction)
    if not wanted:
        return found
    with tempfile.TemporaryDirectory(dir=output, prefix=ANEW) as folder:
        told = write_anew(wanted, output, source, Path(folder), knobs)
        try:
            for correction in wanted:
                line, page = lines[correction.key], told.get(correction.key, NOT_WRITTEN)
                names = page["files"]
                is_astray = files.leading_out(output, [*names, *line.files(images=True)])
                if fault := page["fault"] or (OUTSIDE if is_astray else ""):
                    found.refused[correction.page] = fault
                    continue
                put(Path(folder), output, line, names)
                at = round(time.time(), 3)
                lines[line.key] = corrected(line, len(correction.cells), at, page["pictures"])
                found.new += 1
        finally:  # also if it ends early, because a line and its files belong together
            write_down(output, before, [lines[line.key] for line in before])
    return found


def fault_in(correction: Correction, line: Line | None, answer: bytes, cells: Sequence[Any]) -> str:
    """Say why a correction cannot be applied; empty if it can."""
    size = json.loads(line.text).get("original_size") if line else None
    return fault_of(correction, line, answer, cells, size)


def read_answer(output: Path, line: Line | None) -> bytes:
    """The bytes of the page's JSON; empty if there is none."""
    try:
        return (output / f"{line.page}{JSON}").read_bytes() if line else b""
    except OSError:
        return b""


def write_anew(
    corrections: Sequence[Correction], output: Path, source: Path | None, to: Path, knobs: Knobs
) -> dict[Key, dict[str, Any]]:
    """Write the pages' files below another folder, and return what happened to each page.

    write_corrected.py describes the values.
    """
    with tempfile.TemporaryDirectory() as folder:
        cells, told = Path(folder, "cells.jsonl"), Path(folder, "told.jsonl")
        entries = (
            {"input": one.input, "pdf_page": one.pdf_page, "cells": one.cells}
            for one in corrections
        )
        cells.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        command = [sys.executable, str(WRITER), "--output", str(output), "--from", str(cells)]
        command += ["--to", str(to), "--told", str(told)]
        command += ["--page-timeout", str(knobs.page_timeout), "--pictures", knobs.pictures]
        command += ["--input", str(source)] if source else []
        environment = {**os.environ, PASSWORD: pdf_password(knobs), PASSWORD_FILE: ""}
        run_child(command, environment)
        return told_in(results.read_text(told))


def told_in(text: str) -> dict[Key, dict[str, Any]]:
    """Read what happened to each page. A line that is cut, because the writer died, is ignored."""
    found = dict[Key, dict[str, Any]]()
    for line in text.split("\n"):
        with contextlib.suppress(ValueError):
            one = json.loads(line)
            found[one["input"], one["pdf_page"]] = one
    return found


def put(folder: Path, output: Path, line: Line, names: Sequence[str]) -> None:
    """Put a page's new files in place, in this order, and keep the old ones next to them.

    Files that were not made again are removed, because a drawing of older cells would be wrong.
    """
    older = [line.page + DRAWING_ENDING, *line.files(images=False)]
    for place in (output / name for name in older if name not in names):
        if place.is_file():
            keep_beside(place)
            place.unlink()
    for name in names:
        place, new = output / name, folder / name
        if place.is_file() and not files.is_same(new, place):
            keep_beside(place)
        files.sync(new)
        place.parent.mkdir(exist_ok=True)
        new.replace(place)


def keep_beside(place: Path) -> None:
    """Keep a copy of a file next to it, under a free name. The file itself stays in place."""
    number = 1
    while (beside := old_name(place, number)).exists():
        if files.is_same(place, beside):
            return
        number += 1
    part = beside.with_name(beside.name + files.PART)
    shutil.copyfile(place, part)
    files.sync(part)
    part.replace(beside)


def write_down(output: Path, before: Sequence[Line], after: Sequence[Line]) -> None:
    """Write the changed lines into the manifest, and update the counts in the summary."""
    os.sync()  # a power cut must not leave a line without its results
    files.write_whole(output / MANIFEST, results.text_of(after), durable=True)
    if summary := results.read_text(output / SUMMARY):
        files.write_whole(output / SUMMARY, checked.recounted(summary, before, after))
