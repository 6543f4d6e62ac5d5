"""Read what a machine says, up to a limit: a machine must not fill our memory or terminal."""

import codecs
import os
import subprocess
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, TextIO

from lib.console import printable
from lib.results import LARGEST_BYTES, LARGEST_MANIFEST_BYTES

LARGEST_ANSWER_BYTES = LARGEST_MANIFEST_BYTES
LARGEST_ERRORS_BYTES = 1 << 20
LARGEST_HEADER_BYTES = 1 << 16  # of a tar's member that is no file: a long name
OVERHEAD_BYTES = 1 << 14  # of a member, with a long name
CHUNK_BYTES = 1 << 16


class TooMuch(Exception):
    """More data came than an answer can have."""


def read_most(process: "subprocess.Popen[bytes]", pipe: IO[bytes], most_bytes: int) -> bytes:
    """Return all that a process writes there; beyond the limit, kill it and raise TooMuch."""
    with pipe:
        said = pipe.read(most_bytes + 1)
    if len(said) > most_bytes:
        process.kill()
        raise TooMuch(f"more than {most_bytes:,} bytes")
    return said


def run(command: Sequence[str], content: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Do the same as subprocess.run, with content as stdin. Raises TooMuch."""
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process,
        ThreadPoolExecutor(2) as pool,
    ):
        assert process.stdin and process.stdout and process.stderr  # all are pipes
        try:
            pool.submit(give, process.stdin, content)
            errors = pool.submit(read_most, process, process.stderr, LARGEST_ERRORS_BYTES)
            answer = read_most(process, process.stdout, LARGEST_ANSWER_BYTES)
            said = errors.result()
            return subprocess.CompletedProcess(command, process.wait(), answer, said)
        except BaseException:
            process.kill()
            raise


def give(pipe: IO[bytes], content: bytes) -> None:
    """Write all of it, or as much as the other end reads."""
    with suppress(BrokenPipeError), pipe:
        pipe.write(content)


def follow(command: Sequence[str], out: TextIO, errors: TextIO) -> int:
    """Run a program, pass on what it says at once, made printable; return its exit code."""
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdout=pipe, stderr=pipe) as process,
        ThreadPoolExecutor(1) as pool,
    ):
        assert process.stdout and process.stderr  # both are pipes
        try:
            beside = pool.submit(pass_on, process.stderr, errors)
            pass_on(process.stdout, out)
            beside.result()
            return process.wait()
        except BaseException:
            process.kill()
            raise


def pass_on(source: IO[bytes], target: TextIO) -> None:
    """Copy text until it ends; a progress bar that would overwrite its line becomes lines."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while data := os.read(source.fileno(), CHUNK_BYTES):
        text = decoder.decode(data).replace("\r\n", "\n").replace("\r", "\n")
        target.write(printable(text))
        target.flush()


class Stream:
    """An archive that arrives; reading fails if it is much longer than its members."""

    def __init__(self, source: IO[bytes], sizes: Sequence[int]) -> None:
        self._source = source
        self._left = sum(sizes) + len(sizes) * OVERHEAD_BYTES + LARGEST_BYTES  # a file may grow

    def read(self, size: int) -> bytes:
        """Read as file.read does. Raises tarfile.ReadError."""
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise tarfile.ReadError("more data came than was asked for")
        return data


class Member(tarfile.TarInfo):
    """A member that refuses a header of too many bytes: tarfile would read it into memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """Check the header, at the place that tarfile has for subclasses. Raises ReadError."""
        is_file = self.isreg() or self.isdir() or self.islnk() or self.issym()
        if not is_file and self.size > LARGEST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]  # not in typeshed
        return member
