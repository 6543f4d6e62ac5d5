"""Run the second reader on the results in OUTPUT."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from checks import read_checks
from contract import (
    DOUBTFUL,
    MANIFEST,
    PASSWORD,
    PASSWORD_FILE,
    SUMMARY,
    has_no_second_reading,
)
from lib import checked, files, results
from lib.alone import alone_in
from lib.console import Failure, run_child
from lib.inputs import Inputs
from lib.knobs import ROOT, Knobs, pdf_password
from lib.machines.local import install
from lib.results import Line

CODE = ROOT / "vm_side"
LOOK_S = 30.0  # between two looks at what was found


def check(inputs: Inputs, output: Path, knobs: Knobs) -> tuple[int, dict[str, int]]:
    """Check the pages that are not checked yet; return (exit code, totals). Raises Failure."""
    before = lines_in(output, inputs)
    waiting = count_waiting(before)
    code = 0
    if waiting:
        install(CODE / "cpu_endpoint" / "requirements.txt")
        code = read_again(inputs, output, knobs)
    lines = lines_in(output, inputs)
    return code, {
        "pages": len(lines),
        "checked": sum(bool(line.reader) for line in lines),
        "now": waiting - count_waiting(lines),
        "doubtful": count_doubtful(lines),
        "found": count_doubtful(lines) - count_doubtful(before),
    }


def read_again(inputs: Inputs, output: Path, knobs: Knobs) -> int:
    """Run the second reader; return its exit code. Its findings are kept if we are interrupted."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "checks.jsonl"
        command = [sys.executable, str(CODE / "check_results.py"), "--to", str(found)]
        command += ["--input", str(inputs.root), "--output", str(output)]
        command += ["--page-timeout", str(knobs.page_timeout)]
        environment = {**os.environ, PASSWORD: pdf_password(knobs), PASSWORD_FILE: ""}
        try:
            return run_child(command, environment, lambda: write_some(output, found), LOOK_S)
        finally:
            with alone_in(output):
                write_down(output, found)


def write_some(output: Path, found: Path) -> None:
    """Put what was found so far into the manifest, unless another command works in OUTPUT."""
    with contextlib.suppress(Failure), alone_in(output, patience_s=0):
        write_down(output, found)


def write_down(output: Path, found: Path) -> None:
    """Put what was found into the manifest and the summary, as they stand now."""
    checks = read_checks(results.read_text(found))
    before = results.read_lines(results.read_text(output / MANIFEST))
    after = checked.laid_on(before, checks)
    if after == before:
        return
    files.write_whole(output / MANIFEST, results.text_of(after), durable=True)
    if summary := results.read_text(output / SUMMARY):
        files.write_whole(output / SUMMARY, checked.recounted(summary, before, after))


def lines_in(output: Path, inputs: Inputs) -> list[Line]:
    """The lines of these inputs' pages. Raises Failure if there are no results."""
    manifest = results.read_text(output / MANIFEST)
    if not manifest:
        raise Failure(f"OUTPUT {output} has no results", "make all, or give their OUTPUT")
    return results.of_inputs(results.read_lines(manifest), set(inputs.files))


def count_doubtful(lines: list[Line]) -> int:
    """How many pages somebody should look at."""
    return sum(line.status == DOUBTFUL for line in lines)


def count_waiting(lines: list[Line]) -> int:
    """How many pages are to be checked."""
    return sum(map(has_no_second_reading, lines))
