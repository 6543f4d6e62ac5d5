"""Files that survive a power cut: they are on the disk before anything says that they are there.

A rename alone promises less. After a power cut a file may have its name but no content, or the
folder may still have the file that was there before.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part.

    The parts are written as they come, so that a large file is never in memory as a whole.
    """
    write_beside({path: parts})
    put_in_place([path])


def write_beside(contents: Mapping[Path, Iterable[bytes]]) -> None:
    """Write future files to the disk, under the names that part_of() gives.

    All are written before the first is waited for: then the disk mostly writes them at once.
    """
    with contextlib.ExitStack() as open_files:
        files = []
        for path, parts in contents.items():
            files.append(open_files.enter_context(part_of(path).open("wb")))
            files[-1].writelines(parts)
            files[-1].flush()
        for file in files:
            os.fsync(file.fileno())


def put_in_place(paths: Iterable[Path]) -> None:
    """Rename files that write_beside() wrote to their own names."""
    paths = list(paths)
    for path in paths:
        part_of(path).replace(path)
    keep_names({path.parent for path in paths})


def keep_names(folders: Iterable[Path]) -> None:
    """Bring what was renamed in these folders to the disk."""
    for folder in folders:
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def part_of(path: Path) -> Path:
    """Return where a file is written before it has its name."""
    return path.with_name(f"{path.name}.part")
