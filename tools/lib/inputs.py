"""The pages that the user has: which files below INPUT go to the machine."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from contract import PAGE_ENDINGS, is_page_file
from lib.console import Failure

IRREGULAR = "no regular file (a pipe, a device or a socket)"


@dataclass(frozen=True)
class Inputs:
    """A folder, and the paths of the page files in it (relative, with /, sorted)."""

    root: Path
    files: tuple[str, ...]


def find_inputs(given: str, output: str) -> Inputs:
    """The page files of INPUT, a folder or one file. Raises Failure with what to do."""
    if not given:
        raise Failure("INPUT is not set", "make … INPUT=folder-of-pages (samples is one to try)")
    source = Path(given).expanduser().resolve()
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
    files = []
    for folder, subfolders, names in os.walk(source, onerror=refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        below = Path(folder).relative_to(source)
        files += [(below / name).as_posix() for name in names if is_page_file(name)]
    return Inputs(source, tuple(sorted(files)))


def nothing_in(inputs: Inputs) -> str:
    """What is said of a folder without pages."""
    return f"no {', '.join(PAGE_ENDINGS)} below {inputs.root}"


def status_of(path: Path) -> os.stat_result:
    """Of a file that can be read to its end. Raises OSError for others: a pipe would be waited for.

    Links are followed: they are the user's own.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, IRREGULAR, str(path))
    return status


def refuse(error: OSError) -> None:
    """A folder that cannot be listed: its pages would silently be missing."""
    raise Failure(f"{error.filename} cannot be listed: {error.strerror}", "give it read permission")
