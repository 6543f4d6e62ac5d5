"""Copy and write files so that a file in its place is always complete."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PART = ".part"
Put = Callable[[Path, str], str]  # (a complete new file, its name) -> why it was not taken


def copy_new(source: Path, target: Path) -> bool:
    """Copy a file with its time if the target differs; True if it was copied. Raises OSError."""
    if is_same(source, target):
        return False
    copy_beside(source, target).replace(target)
    return True


def copy_beside(source: Path, target: Path) -> Path:
    """Copy a file with its time next to its final place; return the copy's path. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    shutil.copyfile(source, part)  # the copy has the rights of other new files here
    os.utime(part, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    return part


def is_same(source: Path, target: Path) -> bool:
    """Whether two files have the same content. Times prove nothing: unzip and cp -p keep them."""
    try:
        sizes = source.stat().st_size, target.stat().st_size
    except FileNotFoundError:
        return False
    return sizes[0] == sizes[1] and sha256_of(source) == sha256_of(target)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_or_none(path: Path) -> str | None:
    """Return the SHA-256 of a regular file; None for others (a pipe would block) or on an error."""
    try:
        return sha256_of(path) if path.is_file() else None
    except OSError:
        return None


def putting(folder: Path) -> Put:
    """Return a Put that moves each file to its place below a folder, also over another file."""

    def put(part: Path, name: str) -> str:
        part.replace(folder / name)
        return ""

    return put


def write_whole(path: Path, text: str, durable: bool = False) -> None:
    """Write a file so that a crash leaves the old one or the new one; durable: a power cut too."""
    part = path.with_name(path.name + PART)
    with named(part):
        part.write_text(text, encoding="utf-8")
        if durable:
            sync(part)
    part.replace(path)


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Add the path to the error of a failed write: the system's error for a full disk has none."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def sync(path: Path) -> None:
    """Flush a file's content to the disk before the file replaces another one."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def is_text(path: Path, text: str) -> bool:
    """Whether a file exists and holds exactly this text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def code_below(folder: Path) -> list[str]:
    """Return the files below a folder of code, without those that tools have left there."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    left = ("__pycache__", ".")  # the dot is for .mypy_cache and the like
    return [f.as_posix() for f in files if not any(part.startswith(left) for part in f.parts)]


def leading_out(folder: Path, names: Iterable[str]) -> set[str]:
    """Return the names whose own folder lies outside of this folder, because of a link."""
    root = folder.resolve()
    is_inside: dict[Path, bool] = {}
    found = set()
    for name in names:
        parent = (folder / name).parent
        if parent not in is_inside:
            is_inside[parent] = not is_circle(parent) and parent.resolve().is_relative_to(root)
        if not is_inside[parent]:
            found.add(name)
    return found


def is_circle(path: Path) -> bool:
    """Whether links on the path form a circle; Path.resolve() says so only up to Python 3.12."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def remove_others(folder: Path, keep: Iterable[str]) -> int:
    """Remove all files below folder but those to keep, and empty folders; return the files' number.

    A program may write there meanwhile, as Python writes its compiled code: a folder that it fills
    stays. Raises OSError.
    """
    kept = {str(folder / name) for name in keep}
    removed = 0
    for below, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(below, name)
            if str(path) not in kept:
                path.unlink(missing_ok=True)
                removed += 1
        if Path(below) != folder:
            remove_if_empty(Path(below))
    return removed


def remove_if_empty(folder: Path) -> None:
    """Remove a folder if nothing is in it. Raises OSError."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise


def empty(folder: Path) -> None:
    """Remove what is in a folder, not the folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
