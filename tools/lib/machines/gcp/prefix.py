"""Whose the folders in a bucket are; see lib.machines.ours. Each bucket, or folder in one, serves
one VM: what another one's upload deleted there would be the pages of a run.
"""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from lib.console import Failure, printable
from lib.knobs import Knobs
from lib.machines.ours import RESULT, Found, claim, folders
from lib.results import MANIFEST, read_lines

if TYPE_CHECKING:
    from lib.machines.gcp.bucket import Bucket

MARK = ".dots-ocr/ours.json"


def claim_for(knobs: Knobs, bucket: "Bucket", *needed: str) -> None:
    """Raise Failure unless the bucket serves the VM of these knobs, and these folders are ours."""
    vm = f"{knobs.project}/{knobs.zone}/{knobs.vm}"
    claim(Prefix(bucket, vm, knobs.take), needed, knobs.take)


class Prefix:
    """The folders of a bucket, for one VM."""

    def __init__(self, bucket: "Bucket", vm: str, take: bool) -> None:
        self.folders = folders()
        self.name = bucket.url
        self._bucket, self._vm, self._take = bucket, vm, take
        self._mark = ""
        self._is_taken = False  # from another VM, whose folders were ours as well

    def marked(self) -> set[str]:
        """As Ground. Raises Failure if they are another VM's."""
        self._mark = self._bucket.read_text(MARK)
        if not self._mark:
            return set()
        vm, folders = read_mark(self._mark)
        if vm == self._vm:
            return folders
        if self._take:
            self._is_taken = True
            return set()
        raise Failure(
            f"{self.name} has the pages and results of another VM, {printable(vm)}",
            f"give this one a folder of its own: BUCKET={self.name}/{self._vm.rpartition('/')[2]};"
            " or TAKE=1 takes this one over, with all that is in it",
        )

    def find(self, folder: str) -> Found:
        """As Ground. Where an earlier version worked there is a manifest of ours."""
        names = self._bucket.listing(folder).keys()
        if not names or self._mark:
            return Found(names, self._is_taken)
        manifest = self._bucket.read_text(f"{RESULT}/{MANIFEST}")
        return Found(names, bool(read_lines(manifest)))

    def mark(self, folders: Collection[str]) -> None:
        """As Ground; of two at the same moment one is told to look again."""
        known = read_mark(self._mark)
        every = set(folders) | (known[1] if known[0] == self._vm else set())
        text = json.dumps({"vm": self._vm, "folders": sorted(every)})
        self._bucket.write_text(MARK, text, is_new=not self._mark)


def read_mark(text: str) -> tuple[str, set[str]]:
    """The VM in a mark, and the folders that are its; nobody's, if it is no mark."""
    try:
        mark = json.loads(text)
        return str(mark["vm"]), {str(name) for name in mark["folders"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", set()
