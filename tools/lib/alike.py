"""Names that some disks treat as the same: A/p.png and a/p.png on a Mac or on Windows."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from lib.console import Failure, printable
from walk import one_form


def alike(name: str) -> str:
    """Return a name as a disk sees it that ignores case and Unicode's forms."""
    return one_form(name).casefold()


def pairs(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names whose results such a disk would mix up, as pages and as whole files.

    In one folder, the results of p.png and P.jpg keep these endings in their names, and so do not
    collide. In two folders that are alike, the results of p.png and p.jpg do not keep them.
    """
    seen: dict[tuple[str, str], str] = {}
    for name in names:
        path = PurePosixPath(name)
        folder = alike(str(path.parent))
        for key in ((folder, alike(path.name)), (folder, alike(path.stem))):
            other = seen.setdefault(key, name)
            is_one_folder = PurePosixPath(other).parent == path.parent
            if other != name and not (is_one_folder and alike(other) != alike(name)):
                yield other, name
                break


def tells_apart(folder: Path, one: str, other: str) -> bool:
    """Whether the disk of this folder treats two such names as different."""
    parts = zip(PurePosixPath(one).parts, PurePosixPath(other).parts, strict=True)
    mine, theirs = next((a, b) for a, b in parts if a != b)
    with tempfile.TemporaryDirectory(dir=folder) as probe:
        Path(probe, mine).touch()
        return not Path(probe, theirs).exists()


def refuse_alike(output: Path, names: Iterable[str]) -> None:
    """Raise Failure if the results of one name would overwrite another's in OUTPUT."""
    for one, other in pairs(names):
        if not tells_apart(output, one, other):
            raise Failure(
                f"the disk of OUTPUT {output} takes {printable(one)!r} and {printable(other)!r}"
                " for one name: the results of one would overwrite the other's",
                "rename one, or give an OUTPUT on a disk that tells them apart",
            )
