"""Which truth belongs to which page of the results."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lib.pages.entries import Entry
from lib.score.truth import Truth
from walk import one_form


@dataclass(frozen=True)
class Pairing:
    """Truths with their pages."""

    pairs: list[tuple[Truth, Entry]]
    missing: list[Truth]
    """Truths of pages that the results do not have."""
    unclear: list[Truth]
    """Truths that could be of several pages, or of a page that already has a truth."""
    without_truth: int
    """How many pages have no truth."""


def pair(truths: Iterable[Truth], entries: Sequence[Entry]) -> Pairing:
    """Find the page of each truth, by the path of the page's results or of its picture.

    OmniDocBench names pictures in a folder of its own: then only the end of the path counts.
    """
    exact = {one_form(entry.page): entry for entry in entries}
    beside = defaultdict[str, list[Entry]](list)
    last = defaultdict[str, list[Entry]](list)
    pages = Counter(entry.input for entry in entries)
    for entry in entries:
        path = PurePosixPath(one_form(entry.page))
        beside[str(path.parent.parent / path.name)].append(entry)
        for name in {path.name, *([stem_of(entry)] if pages[entry.input] == 1 else [])}:
            last[name].append(entry)
    found, missing, unclear = dict[str, tuple[Truth, Entry]](), list[Truth](), list[Truth]()
    for truth in truths:
        if truth.is_foreign:
            candidates = nearest(truth.page, last[PurePosixPath(truth.page).name])
        else:
            candidates = [exact[truth.page]] if truth.page in exact else beside[truth.page]
        if not candidates:
            missing.append(truth)
        elif len(candidates) > 1 or candidates[0].page in found:
            unclear.append(truth)
        else:
            found[candidates[0].page] = truth, candidates[0]
    return Pairing(list(found.values()), missing, unclear, len(entries) - len(found))


def stem_of(entry: Entry) -> str:
    """The name of a page's input file, without its ending."""
    return PurePosixPath(one_form(entry.input)).stem


def nearest(page: str, candidates: list[Entry]) -> list[Entry]:
    """Of several pages with the same name, those with the longest equal end of their path."""
    wanted = PurePosixPath(page).parts[::-1]

    def alike(entry: Entry) -> int:
        path = PurePosixPath(one_form(entry.input)).with_suffix("").parts[::-1]
        pairs = enumerate(zip(wanted, path, strict=False))
        return next((n for n, (one, other) in pairs if one != other), min(len(wanted), len(path)))

    most = max(map(alike, candidates), default=0)
    return [entry for entry in candidates if alike(entry) == most]
