#!/usr/bin/env python3
"""Mutants of the decisions, and whether the tests see them: make mutate ONLY=vm_side/answer

Each mutant is one small fault in the code. Those that no test sees are shown; the ones in
survivors.toml were looked at, and say why they may live. It ends with 1 if there are others, or if
the tests kill less than nine in ten of all mutants. It is our own, since mutmut wants modules to be
named as their paths are, and cosmic-ray starts pytest for each mutant.
"""

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from mutate.mutants import mutants_of  # noqa: E402 - found by the line above
from mutate.rooms import QUICK, ROOMS, Room  # noqa: E402 - so is this
from mutate.running import Result, Trial  # noqa: E402 - so is this
from mutate.survivors import known_in  # noqa: E402 - so is this

LEAST_KILLED = 0.9


@contextmanager
def copy_of_project() -> Iterator[Path]:
    """Copy all files that are not ignored by git into a separate folder; yield it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name).resolve()
        for path in map(Path, filter(None, os.fsdecode(names).split("\0"))):
            if (ROOT / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, folder / path)
        yield folder


def tried(room: Room) -> list[Result]:
    """Try all mutants of a room in a process of its own, because its modules stay loaded."""
    with copy_of_project() as folder:
        said = folder / ".results"
        process = get_context("fork").Process(target=write_tried, args=(room, folder, said))
        process.start()
        process.join()
        if process.exitcode:
            raise click.ClickException(f"do these pass, by themselves? {' '.join(room.tests)}")
        results: list[Result] = pickle.loads(said.read_bytes())
        return results


def write_tried(room: Room, folder: Path, said: Path) -> None:
    """Try all mutants of a room in this folder, and write the results into a file."""
    os.chdir(folder)
    mutants = {
        file: mutants_of((folder / file).read_text(encoding="utf-8"), names)
        for file, names in room.files.items()
    }
    trial = Trial(folder, mutants)
    options = [f"--rootdir={folder}", "-qq", "-s", "-p", "no:cacheprovider", "-k", QUICK]
    if pytest.main([*options, *room.tests], plugins=[trial]):
        sys.exit(1)  # pytest has already said why
    said.write_bytes(pickle.dumps(trial.results))


def told(file: str, results: list[Result]) -> int:
    """Print the results of a file; return how many entries somebody must look at."""
    alive = [result.mutant for result in results if not result.is_killed]
    known = known_in(file)
    new = [mutant for mutant in alive if (mutant.function, mutant.change) not in known]
    click.echo(f"{file}: {len(results) - len(alive)} of {len(results)}, {len(new)} to look at")
    for mutant in sorted(new, key=lambda mutant: mutant.line):
        click.echo(f"    {mutant.line} {mutant.function}: {mutant.change}")
    gone = known - {(mutant.function, mutant.change) for mutant in alive}
    for function, change in sorted(gone):
        click.echo(f"    no survivor any more: {function}: {change}")
    return len(new) + len(gone)


@click.command(help=__doc__)
@click.argument("only", default="")
def main(only: str) -> None:
    """Try the rooms one after the other."""
    began, wrong, results = time.monotonic(), 0, list[Result]()
    rooms = list(filter(None, (room.below(only) for room in ROOMS)))
    if not rooms:
        raise click.UsageError(f"no file of rooms.py begins with {only!r}")
    for room in rooms:
        found = tried(room)
        for file in room.files:
            wrong += told(file, [result for result in found if result.file == file])
        results += found
    killed = sum(result.is_killed for result in results)
    minutes = (time.monotonic() - began) / 60
    click.echo(f"{killed} of {len(results)} killed: {killed / len(results):.1%}, {minutes:.1f} min")
    sys.exit(1 if wrong or killed < LEAST_KILLED * len(results) else 0)


if __name__ == "__main__":
    main()
