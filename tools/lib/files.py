"""Copying files so that what stands is always whole."""

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PART = ".part"
Put = Callable[[Path, str], str]  # (a file that came whole, its name) -> why it was not taken


def copy_new(source: Path, target: Path) -> bool:
    """Copy a file with its time if the target differs; True if it was copied. Raises OSError."""
    if is_same(source, target):
        return False
    copy_beside(source, target).replace(target)
    return True


def copy_beside(source: Path, target: Path) -> Path:
    """Copy a file with its time to beside where it is to be; where it is. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    shutil.copyfile(source, part)  # its rights are those of what else is made here
    os.utime(part, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
    return part


def is_same(source: Path, target: Path) -> bool:
    """Whether two files have the same content. Times tell nothing: unzip and cp -p keep them."""
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
    """The same, None if there is no such file; a pipe, which would be waited for, is none."""
    try:
        return sha256_of(path) if path.is_file() else None
    except OSError:
        return None


def putting(folder: Path) -> Put:
    """Puts what came in its place below a folder, whatever stands there."""

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
    """A write that fails says which file: of a full disk the system's error does not."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def sync(path: Path) -> None:
    """Have a file's content on the disk before it takes another's place."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def is_text(path: Path, text: str) -> bool:
    """Whether a file stands and holds just this text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def code_below(folder: Path) -> list[str]:
    """The files below a folder of code, without what tools left among them."""
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    left = ("__pycache__", ".")  # and .mypy_cache, say
    return [f.as_posix() for f in files if not any(part.startswith(left) for part in f.parts)]


def leading_out(folder: Path, names: Iterable[str]) -> set[str]:
    """Those of these names whose folder, by way of a link in it, lies outside of this folder."""
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
    """Whether links lead in a circle on the way; Path.resolve() says so up to Python 3.12 alone."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def remove_others(folder: Path, keep: Iterable[str]) -> int:
    """Remove all files below folder that are not kept, and folders left empty; how many files.

    A program may write there meanwhile, as Python does what it compiled: a folder that it fills
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
