#!/usr/bin/env python3
"""Draws docs/images/make-all.svg: the README's first command at a terminal, as it was.

It runs in a copy of the project, as after a first `git clone`: with an environment to make, and
packages to install. Run it again after a change of what the commands say:  make pictures
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pyte

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("vm_side", "tools", "tests")]

from pictures.moving import BLOCKS, Frame, svg  # noqa: E402 - found by the line above
from rig.toolkit import CODE, NOT_INHERITED, free_port  # noqa: E402 - so is this

PICTURE = ROOT / "docs" / "images" / "make-all.svg"
COMMAND = ("make", "all", "INPUT=samples", "TARGET=local")
TITLE = "make all INPUT=samples TARGET=local, at a terminal"
TOLD = "A real run, with its waits cut short. At its end the terminal shows:\n"
BARS = re.compile(rf"\|[{BLOCKS}]+\|")  # useless for a screen reader
COLUMNS, ROWS = 84, 40  # wide enough for the longest line to break between two words
NAME, HOME, PORT = "dots-ocr-vm-toolkit", "/home/you", 8000  # these replace this computer's own

AT_ONCE_S = 0.05  # output with shorter pauses is one frame
LONGEST_S = 0.6  # longest pause: the packages take a minute, the pages another one
WORD_S = 0.4  # time to type a word of the command
REST_S = 4.0  # time to look at the end


class Said(NamedTuple):
    """Output of the command, and its time."""

    at_s: float
    text: str


def copy_project(folder: Path) -> None:
    """Copy what the command needs from the project, without generated files."""
    folder.mkdir()
    for name in (*CODE, "samples"):
        if (ROOT / name).is_dir():
            leave = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / name, folder / name, ignore=leave)
        else:
            shutil.copy2(ROOT / name, folder / name)


def record(folder: Path, port: int) -> list[Said]:
    """Run the command in a terminal of its own; raises ClickException if it fails."""
    environment = {name: text for name, text in os.environ.items() if name not in NOT_INHERITED}
    environment |= {"TERM": "xterm", "PYTHON": sys.executable}
    environment["ENDPOINT"] = f"http://127.0.0.1:{port}"
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (ROWS, COLUMNS))
    start_s, said = time.monotonic(), []
    with subprocess.Popen(
        # when the terminal closes, all that runs in it gets a hang-up
        ["setsid", "--ctty", *COMMAND],
        cwd=folder,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ) as command:
        os.close(slave)
        for data in all_of(master):
            said.append((time.monotonic() - start_s, data))
            click.echo(data, nl=False, err=True)
    os.close(master)
    if command.returncode:
        raise click.ClickException(f"{' '.join(COMMAND)} ended with {command.returncode}")
    return [Said(at_s, data.decode()) for at_s, data in whole(said)]


def all_of(master: int) -> Iterator[bytes]:
    """Yield what is written to a terminal, until nobody has it open any more."""
    while True:
        try:
            yield os.read(master, 65536)
        except OSError:  # EIO
            return


def whole(said: Iterable[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """Join output that came almost at once, so that no line and no letter is cut in two."""
    joined: list[tuple[float, bytes]] = []
    last_s = float("-inf")
    for at_s, data in said:
        if at_s - last_s < AT_ONCE_S:
            first_s, before = joined.pop()
            joined.append((first_s, before + data))
        else:
            joined.append((at_s, data))
        last_s = at_s
    return joined


def anonymous(said: Iterable[Said], folder: Path, port: int) -> list[Said]:
    """Replace this computer's own places; raises ClickException if some remain."""
    found = []
    for at_s, words in said:
        text = words.replace(str(folder.parent), HOME).replace(f":{port}", f":{PORT}")
        for own in (str(ROOT), str(Path.home()), tempfile.gettempdir()):
            if own in text:
                raise click.ClickException(f"the command says {own}: {text}")
        found.append(Said(at_s, text))
    return found


def typed(command: Iterable[str]) -> list[Said]:
    """A command, typed word by word."""
    words = ["$", *(f" {word}" for word in command)]
    said = [Said(WORD_S * number, word) for number, word in enumerate(words)]
    return [*said, Said(WORD_S * len(words), "\r\n")]


def shortened(said: Iterable[Said]) -> list[Said]:
    """Cut long waits, also the one at the start."""
    found: list[Said] = []
    now_s = before_s = 0.0
    for at_s, text in said:
        now_s += min(at_s - before_s, LONGEST_S)
        before_s = at_s
        found.append(Said(now_s, text))
    return found


def frames_of(said: Iterable[Said]) -> list[Frame]:
    """What the terminal shows after each output."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    frames = []
    for at_s, text in said:
        stream.feed(text)
        frames.append(Frame(at_s, [line.rstrip() for line in screen.display]))
    return frames


def drawn(said: list[Said]) -> str:
    """The picture: the command is typed, runs, and leaves the prompt."""
    before = typed(COMMAND)
    start_s = before[-1].at_s
    after = [Said(start_s + at_s, text) for at_s, text in shortened(said)]
    end_s = after[-1].at_s + WORD_S
    frames = frames_of([*before, *after, Said(end_s, "$ ")])
    told = TOLD + BARS.sub("", "\n".join(frames[-1].lines)).rstrip()
    return svg(frames, end_s + REST_S, COLUMNS, TITLE, told)


@click.command(help=__doc__)
def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder, port = Path(scratch).resolve() / NAME, free_port()
        copy_project(folder)
        said = anonymous(record(folder, port), folder, port)
    PICTURE.write_text(drawn(said), encoding="utf-8")
    click.echo(f"{PICTURE.stat().st_size / 1024:7.1f} KiB  {PICTURE}", err=True)


if __name__ == "__main__":
    main()
