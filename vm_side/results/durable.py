"""Files that outlive a power cut: they are on the disk before anything says that they stand.

A rename alone promises less. After a cut a file may have its name and nothing in it, or its folder
the file that was there before.
"""

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part.

    The parts are written as they come: those of a large file are not held together.
    """
    write_beside(path, parts)
    put_in_place([path])


def write_beside(path: Path, parts: Iterable[bytes]) -> None:
    """Write what is to become a file, on the disk, under the name that part_of() gives."""
    with part_of(path).open("wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def put_in_place(paths: Iterable[Path]) -> None:
    """Give files that were written beside their names."""
    paths = list(paths)
    for path in paths:
        part_of(path).replace(path)
    keep_names({path.parent for path in paths})


def keep_names(folders: Iterable[Path]) -> None:
    """Bring to the disk what was renamed in these folders."""
    for folder in folders:
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def part_of(path: Path) -> Path:
    """Where a file is written before it has its name."""
    return path.with_name(f"{path.name}.part")
