"""Folders over ssh: what changed goes as one tar stream, and what arrives is checked.

We use tar rather than rsync, because every computer has it, and because we never trust names and
content from the machine. We write only regular files that we asked for, next to the old ones, and
check their hashes.
"""

import contextlib
import os
import re
import shutil
import tarfile
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn, cast

from tqdm import tqdm

from lib.console import Failure, bar
from lib.files import PART, Put, putting, sha256_of, sha256_or_none
from lib.inputs import status_of
from lib.machines.machine import CHANGED, Moved
from lib.machines.ssh.bounded import LARGEST_ERRORS_BYTES, Member, Stream, TooMuch, read_most
from lib.machines.ssh.shell import ConnectionLost, Shell, script_of, shorten
from lib.results import LARGEST_BYTES, is_below

LISTED = re.compile(rb"(\d{1,15}) (-?\d{1,11})(?:\.(\d*))? (.+)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A file on either side: size in bytes and time of change in nanoseconds."""

    size: int
    time_ns: int


def mirror_up(shell: Shell, root: Path, names: Collection[str], folder: str) -> Moved:
    """Make a folder of the machine hold just these files of root. Raises ConnectionLost."""
    shell.run(script_of("mkdir", "-p", folder))
    theirs = listing(shell, folder)
    moved = Moved()
    extra = theirs.keys() - set(names)
    if extra:
        remove(shell, folder, extra)
        moved.removed = len(extra)
    # a folder that a program there is filling just now stays
    shell.run(f"cd {folder} && {{ find . -mindepth 1 -type d -empty -delete 2>/dev/null || :; }}")
    ours: dict[str, int] = {}  # their sizes
    for name in names:
        try:
            ours[name] = status_of(root / name).st_size
        except OSError as error:
            moved.failed[name] = error.strerror or str(error)
    alike = {  # times prove nothing about content: unzip and cp -p keep them
        name for name, size in ours.items() if name in theirs and size == theirs[name].size
    }
    hashes = remote_hashes(shell, folder, alike)
    same = {name for name in hashes if hashes[name] == sha256_or_none(root / name)}
    new = [name for name in names if name in ours and name not in same]
    moved.same = len(same)
    if new:
        send(shell, root, new, ours, folder, moved)
    return moved


def send(
    shell: Shell, root: Path, names: list[str], sizes: dict[str, int], folder: str, moved: Moved
) -> None:
    """Send files as one tar stream. A file that cannot be read to its end is removed there."""
    torn = []
    with (
        bar(sum(sizes[name] for name in names), "upload") as progress,
        running(shell, f"tar -x -f - -C {folder} --no-same-owner") as (stdin, _),
        tarfile.open(fileobj=stdin, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name in names:
            try:
                file = (root / name).open("rb")
            except OSError as error:
                moved.failed[name] = error.strerror or str(error)
                continue
            with file:
                member = tarfile.TarInfo(name)
                status = os.fstat(file.fileno())
                member.size, member.mtime, member.mode = status.st_size, int(status.st_mtime), 0o600
                content = Padded(file)
                archive.addfile(member, Travelling(content, shell, progress))
                if content.fault:
                    moved.failed[name] = content.fault
                    torn.append(name)
                else:
                    moved.new += 1
    if torn:
        remove(shell, folder, torn)


def fetch(
    shell: Shell, folder: str, names: Iterable[str], target: Path, put: Put | None = None
) -> Moved:
    """Bring files of a machine's folder into target, each whole or not at all; put places them.

    A file that has the same size and time already, or the same hash, stays. Raises ConnectionLost.
    """
    moved = Moved()
    theirs = listing(shell, folder)
    wanted = [name for name in names if is_below(name)]
    moved.failed = {name: "not on the machine" for name in wanted if name not in theirs}
    for name in wanted:
        if name in theirs and theirs[name].size > LARGEST_BYTES:
            moved.failed[name] = f"{theirs.pop(name).size} bytes: too large for a page's result"
    unsure = [
        name for name in wanted if name in theirs and not is_same(theirs[name], target / name)
    ]
    hashes = remote_hashes(shell, folder, unsure)
    needed = {  # also what has no hash, since the machine cannot read it
        name: theirs[name]
        for name in unsure
        if name not in hashes or sha256_or_none(target / name) != hashes[name]
    }
    moved.same = len(wanted) - len(needed) - len(moved.failed)
    if needed:
        receive(shell, folder, needed, hashes, target, put or putting(target), moved)
    return moved


def receive(
    shell: Shell,
    folder: str,
    needed: dict[str, Entry],
    hashes: dict[str, str],
    target: Path,
    put: Put,
    moved: Moved,
) -> None:
    """Receive files as one tar stream; ignore whatever we did not ask for."""
    names_file = f"$HOME/.dots-ocr/fetch-{os.getpid()}"
    shell.run(f"mkdir -p .dots-ocr && cat >{names_file}", joined(needed))
    script = f"cd {folder} && tar -c -f - --null --no-recursion -T {names_file}; rm {names_file}"
    missing = dict.fromkeys(needed, "did not arrive")
    with (
        bar(sum(entry.size for entry in needed.values()), "download") as progress,
        running(shell, script) as (_, stdout),
    ):
        stream = cast(IO[bytes], Stream(stdout, [entry.size for entry in needed.values()]))
        try:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=Member) as archive:
                for member in archive:
                    shell.stay_seen()
                    name = member.name.removeprefix("./")
                    content = archive.extractfile(member) if member.isreg() else None
                    if name not in missing or content is None:
                        continue
                    if member.size != needed[name].size:
                        missing[name] = CHANGED
                        continue
                    with arriving(target / name, Travelling(content, shell)) as part:
                        is_whole = sha256_of(part) == hashes.get(name, "")
                        times = (needed[name].time_ns, needed[name].time_ns)
                        os.utime(part, ns=times)
                        missing[name] = put(part, name) if is_whole else CHANGED
                    if not missing[name]:
                        del missing[name]
                        moved.new += 1
                        progress.update(needed[name].size)
            while stream.read(1 << 16):  # the padding behind the archive
                continue
        except (tarfile.TarError, ValueError, OverflowError) as error:  # or no archive at all
            raise ConnectionLost(shell.name, f"the stream broke off: {error}") from error
    moved.failed |= missing


@contextlib.contextmanager
def arriving(path: Path, content: "Travelling") -> Iterator[Path]:
    """Give a file next to path with this content; remove it in the end, if it is still there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)  # of a run that was killed
    try:
        with part.open("xb") as file:
            shutil.copyfileobj(content, file)
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def running(shell: Shell, script: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Give a script's stdin and stdout while it runs. Raises ConnectionLost, Failure at its end."""
    with ThreadPoolExecutor(1) as pool:
        process = shell.popen(script)
        assert process.stdin and process.stdout and process.stderr  # all are pipes
        errors = pool.submit(read_most, process, process.stderr, LARGEST_ERRORS_BYTES)
        broken = False
        try:
            yield process.stdin, process.stdout
            process.stdin.close()
        except BrokenPipeError:
            broken = True  # its exit code says why
        except BaseException:
            process.kill()
            raise
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            code = process.wait()
        try:
            said = errors.result()
        except TooMuch as error:
            raise Failure(f"{shell.name} says {error} of errors; given up") from error
    shell.check_connection(code, said)
    if code or broken:
        text = said.decode("utf-8", "replace").strip()
        raise Failure(f"on {shell.name}: {shorten(script)}: {text}")


def listing(shell: Shell, folder: str) -> dict[str, Entry]:
    """Return all regular files below a folder of the machine; none if there is no folder."""
    script = f"cd {folder} 2>/dev/null && find . -type f -printf '%s %T@ %P\\0' || :"
    entries = {}
    for line in shell.ask(script).stdout.split(b"\0"):
        if found := LISTED.fullmatch(line):
            size, seconds, fraction, name = found.groups()
            time_ns = int(seconds) * 10**9 + int(f"{(fraction or b'').decode():0<9}"[:9])
            entries[os.fsdecode(name)] = Entry(int(size), time_ns)
    return entries


def remote_hashes(shell: Shell, folder: str, names: Collection[str]) -> dict[str, str]:
    """Return the SHA-256 of files on the machine, by name, without those that cannot be read."""
    if not names:
        return {}
    lines = feed(shell, f"cd {folder} && xargs -0 -r sha256sum -z -- 2>/dev/null || :", names)
    return {
        os.fsdecode(line[66:]): os.fsdecode(line[:64])
        for line in lines.split(b"\0")
        if len(line) > 66
    }


def remove(shell: Shell, folder: str, names: Iterable[str]) -> None:
    """Remove files of a folder of the machine."""
    feed(shell, f"cd {folder} && xargs -0 -r rm -f --", names)


def feed(shell: Shell, script: str, names: Iterable[str]) -> bytes:
    """Run a script with names on its stdin, separated by NUL; return what it prints."""
    done = shell.ask(script, joined(names))
    if done.returncode:
        raise Failure(f"on {shell.name}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout


def joined(names: Iterable[str]) -> bytes:
    """Return names, each with a NUL at its end."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def is_same(entry: Entry, path: Path) -> bool:
    """Whether a file of ours has this size and time."""
    try:
        status = path.stat()
    except OSError:
        return False
    return Entry(status.st_size, status.st_mtime_ns) == entry


class Padded:
    """A file that stays as long as it was when it was opened: zeros replace what cannot be read.

    Otherwise a tar stream would end here, without the files behind this one. fault says why, if so.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.fault = ""

    def read(self, size: int) -> bytes:
        """Read `size` bytes as file.read does, but fill up with zeros."""
        try:
            data = self._file.read(size)
        except OSError as error:
            data, self.fault = b"", error.strerror or str(error)
        if len(data) < size:
            self.fault = self.fault or CHANGED
        return data.ljust(size, b"\0")


class Travelling:
    """A file to read while it travels: we stay seen by the machine, and a progress bar moves."""

    def __init__(
        self, file: IO[bytes] | Padded, shell: Shell, progress: "tqdm[NoReturn] | None" = None
    ) -> None:
        self._file, self._shell, self._progress = file, shell, progress

    def read(self, size: int = -1) -> bytes:
        """Read as file.read does."""
        self._shell.stay_seen()
        data = self._file.read(size)
        if self._progress:
            self._progress.update(len(data))
        return data
