"""The pages that the user has: which files below INPUT go to the machine."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contract import PAGE_ENDINGS, is_page_file
from lib.console import ExitCode, Failure, say
from walk import UNOPENED, as_on_disk, look_below, told

IRREGULAR = "not a regular file (a pipe, a device or a socket)"


@dataclass(frozen=True)
class Inputs:
    """A folder, and the paths of the page files in it (relative, with /, sorted).

    not_read counts the other files in it, by ending, and the page files that cannot be opened.
    """

    root: Path
    files: tuple[str, ...]
    not_read: Mapping[str, int] = field(default_factory=dict)

    @property
    def others(self) -> str:
        """What is not read, for people; empty if there is nothing."""
        return f"{text} below {self.root}" if (text := told(self.not_read)) else ""


def find_inputs(given: str, output: str) -> Inputs:
    """The page files of INPUT, a folder or one file. Raises Failure with what to do."""
    if not given:
        raise Failure("INPUT is not set", "make … INPUT=folder-of-pages (samples is one to try)")
    source = path_of(given)
    if source.is_file():
        if not is_page_file(source.name):
            raise Failure(f"INPUT {source} is not one of {', '.join(PAGE_ENDINGS)}")
        return Inputs(source.parent, (source.name,))
    if not source.is_dir():
        what = f"is {IRREGULAR}" if source.exists() else "does not exist"
        raise Failure(f"INPUT {source} {what}", "give INPUT=folder-of-pages")
    results = Path(output).expanduser().resolve()
    if results == source or source in results.parents:
        raise Failure(
            f"OUTPUT {results} lies inside INPUT: its drawings would be read as pages",
            "give an OUTPUT outside of INPUT",
        )
    found = look_below(source, lambda folder, error: refuse(source / folder, error), results)
    unopened = sum(not can_be_opened(source / name) for name in found.files)
    not_read = found.not_read + Counter({UNOPENED: unopened})
    return Inputs(source, tuple(sorted(found.files)), not_read)


def path_of(given: str) -> Path:
    """Return the path that people typed, in the disk's Unicode form of its names."""
    return as_on_disk(Path(given).expanduser().resolve())


def folder_of(given: str, otherwise: str) -> Path | None:
    """Return the folder of the manifest's inputs; None without INPUT. Says if it is missing."""
    if not given:
        return None
    source = path_of(given)
    if not source.exists():
        say(f"INPUT {source} does not exist; {otherwise}")
        return None
    return source.parent if source.is_file() else source


def end_of_nothing(inputs: Inputs) -> tuple[str, ExitCode]:
    """Return the message and the exit code for a folder without pages: FAILED if it has files."""
    what = f"no {', '.join(PAGE_ENDINGS)} below {inputs.root}"
    if text := told(inputs.not_read):
        return f"{what}; {text}", ExitCode.FAILED
    return f"{what}: nothing to do", ExitCode.OK


def status_of(path: Path) -> os.stat_result:
    """Return the status of a regular file. Raises OSError for others: reading a pipe would block.

    Links are followed, because they are the user's own.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, IRREGULAR, str(path))
    return status


def can_be_opened(path: Path) -> bool:
    """Whether a file can be sent, as far as we can tell without reading it."""
    try:
        status_of(path)
    except OSError:
        return False
    return os.access(path, os.R_OK)


def refuse(folder: Path, error: OSError) -> None:
    """Raise Failure for a folder that cannot be listed: its pages would be missing silently."""
    raise Failure(f"{folder} cannot be listed: {error.strerror}", "give it read permission")
