"""Names that a disk may take for one: A/p.png and a/p.png on a Mac, or on Windows."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from lib.console import Failure, printable
from walk import one_form


def alike(name: str) -> str:
    """A name as a disk sees it that tells neither case nor Unicode's forms apart."""
    return one_form(name).casefold()


def pairs(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names whose results such a disk would mix up, as pages and as whole files.

    In one folder p.png and P.jpg keep their endings; in two that are alike p.png and p.jpg do not.
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
    """Whether the disk of this folder takes two such names for two."""
    parts = zip(PurePosixPath(one).parts, PurePosixPath(other).parts, strict=True)
    mine, theirs = next((a, b) for a, b in parts if a != b)
    with tempfile.TemporaryDirectory(dir=folder) as probe:
        Path(probe, mine).touch()
        return not Path(probe, theirs).exists()


def refuse_alike(output: Path, names: Iterable[str]) -> None:
    """Raise Failure if one's results would overwrite the other's in OUTPUT."""
    for one, other in pairs(names):
        if not tells_apart(output, one, other):
            raise Failure(
                f"the disk of OUTPUT {output} takes {printable(one)!r} and {printable(other)!r}"
                " for one name: the results of one would overwrite the other's",
                "rename one, or give an OUTPUT on a disk that tells them apart",
            )
