"""Who owns the folders in a bucket; see lib.machines.ours. Each bucket, or folder in one, serves
one VM: the upload of another VM would delete the pages of a run.
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
        self._is_taken = False  # from another VM, with folders that were ours as well

    def marked(self) -> set[str]:
        """See Ground. Raises Failure if they are another VM's."""
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
            f"{self.name} already holds the pages and results of another VM, {printable(vm)}",
            f"give this one a folder of its own: BUCKET={self.name}/{self._vm.rpartition('/')[2]};"
            " or TAKE=1 takes this one over, with all that is in it",
        )

    def find(self, folder: str) -> Found:
        """See Ground. Where an earlier version has worked, there is a manifest of ours."""
        names = self._bucket.listing(folder).keys()
        if not names or self._mark:
            return Found(names, self._is_taken)
        manifest = self._bucket.read_text(f"{RESULT}/{MANIFEST}")
        return Found(names, bool(read_lines(manifest)))

    def mark(self, folders: Collection[str]) -> None:
        """See Ground. If two make the first mark at the same moment, one of them fails."""
        known = read_mark(self._mark)
        every = set(folders) | (known[1] if known[0] == self._vm else set())
        text = json.dumps({"vm": self._vm, "folders": sorted(every)})
        self._bucket.write_text(MARK, text, is_new=not self._mark)


def read_mark(text: str) -> tuple[str, set[str]]:
    """Return the VM in a mark, and the VM's folders; both empty if it is not a mark."""
    try:
        mark = json.loads(text)
        return str(mark["vm"]), {str(name) for name in mark["folders"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", set()
