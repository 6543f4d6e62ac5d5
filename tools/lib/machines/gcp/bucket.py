"""gs:// through gcsfs: upload a folder as an exact mirror, download results whole or not at all."""

import base64
import glob
import hashlib
import logging
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import google.auth.exceptions
from fsspec.callbacks import DEFAULT_CALLBACK, Callback, TqdmCallback

from lib.console import REMEDIES, Failure, is_watched
from lib.files import PART, Put, named, putting
from lib.inputs import status_of
from lib.machines.gcp.credentials import find_credentials, no_credentials
from lib.machines.machine import CHANGED, Moved
from lib.results import LARGEST_BYTES, LARGEST_MANIFEST_BYTES, is_below

BATCH = 32  # files on the way at once; gcsfs would use a share of the open-file limit


class Bucket:
    """A bucket, or a folder in one: gs://name[/folder]. All methods raise Failure."""

    def __init__(self, url: str) -> None:
        if not url.startswith("gs://") or len(url) < len("gs://abc"):
            raise Failure(f"BUCKET {url!r} is not gs://name", "correct BUCKET in config.env")
        self.url = url.rstrip("/")
        self._base = self.url.removeprefix("gs://")
        self._system = open_system()

    def mirror_up(self, root: Path, names: Collection[str], folder: str) -> Moved:
        """Make a folder of the bucket hold just these files of root."""
        moved = Moved()
        theirs = self.listing(folder)
        new = []
        for name in names:
            if "\n" in name or "\r" in name:
                moved.failed[name] = "a bucket takes no line break in a name"
                continue
            try:
                status_of(root / name)
                if is_same(root / name, theirs.get(name)):
                    moved.same += 1
                else:
                    new.append(name)
            except OSError as error:
                moved.failed[name] = error.strerror or str(error)
        extra = theirs.keys() - set(names)
        self._remove(folder, extra)
        moved.removed = len(extra)
        if new:
            self._call(
                self._system.put,
                [str(root / name) for name in new],
                [self._path(folder, name) for name in new],
                callback=progress("upload"),
                batch_size=BATCH,
            )
        moved.new = len(new)
        return moved

    def fetch(
        self, folder: str, names: Sequence[str], target: Path, put: Put | None = None
    ) -> Moved:
        """Bring files of a folder into target; each is checked before put() places it."""
        moved, put = Moved(), put or putting(target)
        theirs = self.listing(folder)
        wanted = [name for name in names if is_below(name)]
        moved.failed = {name: "not in the bucket" for name in wanted if name not in theirs}
        new = []
        for name in wanted:
            if name in theirs and (size := int(theirs[name]["size"])) > LARGEST_BYTES:
                moved.failed[name] = f"{size} bytes: too large for a page's result"
            if name in moved.failed:
                continue
            path = target / name
            if path.is_file() and is_same(path, theirs[name]):
                moved.same += 1
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                Path(f"{path}{PART}").unlink(missing_ok=True)  # of a run that was killed
                new.append(name)
        if new:
            with named(target):
                self._call(
                    self._system.get,
                    [self._path(folder, name) for name in new],
                    [str(target / name) + PART for name in new],
                    callback=progress("download"),
                    batch_size=BATCH,
                )
        for name in new:
            part = Path(str(target / name) + PART)
            is_whole = part.is_file() and is_same(part, theirs[name])
            if why := put(part, name) if is_whole else CHANGED:
                moved.failed[name] = why
            else:
                moved.new += 1
            part.unlink(missing_ok=True)
        return moved

    def read_text(self, name: str) -> str:
        """Return a small file's text; nothing if there is none."""
        path = f"{self._base}/{name}"
        try:
            size = int(self._call(self._system.info, path)["size"])
            if size > LARGEST_MANIFEST_BYTES:
                raise Failure(f"{self.url}/{name} has {size:,} bytes; given up")
            content: bytes = self._call(self._system.cat_file, path)
        except FileNotFoundError:  # no such file; a missing bucket shows at the upload
            return ""
        return content.decode("utf-8", "replace")

    def write_text(self, name: str, text: str, is_new: bool) -> None:
        """Write a small file. is_new: only if there is none, so that of two writers one fails."""
        mode = "create" if is_new else "overwrite"
        self._call(self._system.pipe_file, f"{self._base}/{name}", text.encode(), mode=mode)

    def remove(self, name: str) -> None:
        """Remove one file."""
        self._call(self._system.rm_file, f"{self._base}/{name}")

    def location(self) -> str:
        """Return where Google keeps it: a region, or a larger part of the world."""
        name = self._base.partition("/")[0]
        return str(self._call(self._system.call, "GET", "b/{}", name, json_out=True)["location"])

    def empty(self, folder: str) -> None:
        """Remove all files of a folder."""
        self._remove(folder, self.listing(folder))

    def _remove(self, folder: str, names: Iterable[str]) -> None:
        """Remove these files and no others: rm treats a * or [ in a name as a pattern."""
        if paths := [self._path(folder, glob.escape(name)) for name in names]:
            self._call(self._system.rm, paths)

    def _path(self, folder: str, name: str) -> str:
        return f"{self._base}/{folder}/{name}"

    def listing(self, folder: str) -> dict[str, Any]:
        """Return the files of a folder by name, from the API: the cache would never expire."""
        self._system.invalidate_cache()
        start = f"{self._base}/{folder}/"
        try:
            found = self._call(self._system.find, start, detail=True)
        except FileNotFoundError:
            return {}
        return {
            path.removeprefix(start): entry
            for path, entry in found.items()
            if entry["type"] == "file" and not path.endswith("/")
        }

    def _call(self, method: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return method(*arguments, **options)
        except FileNotFoundError:
            if method in (self._system.find, self._system.info, self._system.cat_file):
                raise
            raise Failure(f"{self.url} does not exist", "make it, or correct BUCKET") from None
        except FileExistsError:
            raise Failure(f"{self.url} was taken by another run just now", "try again") from None
        except google.auth.exceptions.GoogleAuthError as error:
            raise no_credentials(str(error)) from error
        except (OSError, aiohttp.ClientError) as error:
            if getattr(error, "errno", None) in REMEDIES:  # our own disk's
                raise
            raise Failure(
                f"{self.url}: {error}", "check BUCKET and your role on it (objectAdmin)"
            ) from error


def open_system() -> Any:
    """Open gcsfs with the credentials of the calls for VMs, or anonymously for an emulator."""
    emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
    if emulator:  # its probe for another kind of bucket would hang there
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    import gcsfs  # noqa: PLC0415 - reads that variable when imported

    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs what it also raises
    return gcsfs.GCSFileSystem(
        token="anon" if emulator else find_credentials(),  # None would fall back to anonymous
        use_listings_cache=False,
        consistency="md5",
    )


def is_same(path: Path, entry: Any) -> bool:
    """Whether a file has the content of an object; entry is None if there is no object.

    Raises OSError if the file cannot be read to its end: gcsfs would not say which file it was.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "md5").digest()
    return entry is not None and bool(base64.b64encode(digest).decode() == entry.get("md5Hash"))


def progress(verb: str) -> Callback:
    """A progress bar of files, on a terminal only."""
    if not is_watched():
        return DEFAULT_CALLBACK
    return TqdmCallback(tqdm_kwargs={"desc": verb, "unit": "file", "dynamic_ncols": True})
