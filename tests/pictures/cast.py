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
BARS = re.compile(rf"\|[{BLOCKS}]+\|")  # nobody wants to hear them
COLUMNS, ROWS = 84, 40  # so wide that the longest line breaks between two words
NAME, HOME, PORT = "dots-ocr-vm-toolkit", "/home/you", 8000  # in place of this computer's own

AT_ONCE_S = 0.05  # what comes so close is one frame
LONGEST_S = 0.6  # of a wait: the packages take a minute, the pages another one
WORD_S = 0.4  # to type a word of the command
REST_S = 4.0  # to look at the end


class Said(NamedTuple):
    """What came from the command, and when."""

    at_s: float
    text: str


def copy_project(folder: Path) -> None:
    """What the command needs of the project, with nothing that was made in it."""
    folder.mkdir()
    for name in (*CODE, "samples"):
        if (ROOT / name).is_dir():
            leave = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / name, folder / name, ignore=leave)
        else:
            shutil.copy2(ROOT / name, folder / name)


def record(folder: Path, port: int) -> list[Said]:
    """Run the command at a terminal of its own; raises ClickException if it fails."""
    environment = {name: text for name, text in os.environ.items() if name not in NOT_INHERITED}
    environment |= {"TERM": "xterm", "PYTHON": sys.executable}
    environment["ENDPOINT"] = f"http://127.0.0.1:{port}"
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (ROWS, COLUMNS))
    start_s, said = time.monotonic(), []
    with subprocess.Popen(
        ["setsid", "--ctty", *COMMAND],  # closed, it hangs up on all that runs
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
    """What is written to a terminal, until nobody has it open any more."""
    while True:
        try:
            yield os.read(master, 65536)
        except OSError:  # EIO
            return


def whole(said: Iterable[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """The same, where what came almost at once came at once: no line, no letter is cut in two."""
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
    """The same as on anybody's computer; raises ClickException if this one's places remain."""
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
    """The same with its long waits cut, from the first moment on."""
    found: list[Said] = []
    now_s = before_s = 0.0
    for at_s, text in said:
        now_s += min(at_s - before_s, LONGEST_S)
        before_s = at_s
        found.append(Said(now_s, text))
    return found


def frames_of(said: Iterable[Said]) -> list[Frame]:
    """What the terminal shows after each."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    frames = []
    for at_s, text in said:
        stream.feed(text)
        frames.append(Frame(at_s, [line.rstrip() for line in screen.display]))
    return frames


def drawn(said: list[Said]) -> str:
    """The picture of a command that is typed, runs, and leaves the prompt."""
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
