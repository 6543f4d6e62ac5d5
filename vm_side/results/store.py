"""Files below a URL that fsspec knows (gs://bucket/folder), with those methods of pathlib that
a batch needs. Objects of a bucket appear whole or not at all, so nothing is renamed here.
"""

import contextlib
import functools
import logging
import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

VERSION_KEYS = ("generation", "ETag", "etag")  # marks of a content: Google's and others'


@dataclass(frozen=True)
class Remote:
    """A file or folder. root is the URL of the whole input or output, name a path below it.

    All methods raise OSError.
    """

    root: str
    name: str = ""

    def __truediv__(self, name: str | PurePosixPath) -> "Remote":
        return Remote(self.root, f"{self.name}/{name}" if self.name else str(name))

    def __str__(self) -> str:
        return f"{self.root}/{self.name}" if self.name else self.root

    def is_file(self) -> bool:
        """Whether it was there when this process first looked at the root."""
        return self.name in listing(self.root)

    @property
    def size(self) -> int:
        """Its bytes at that first look. Raises FileNotFoundError."""
        return self._entry.size

    @property
    def version(self) -> str:
        """The store's mark of the content at that first look; empty if it has none."""
        return self._entry.version

    @property
    def _entry(self) -> "Entry":
        if (entry := listing(self.root).get(self.name)) is None:
            raise FileNotFoundError(f"{self} is not there")
        return entry

    def read_bytes(self) -> bytes:
        """Return the content. Raises FileNotFoundError."""
        with errors_told(self):
            system, base = open_system(self.root)
            content: bytes = system.cat_file(f"{base}/{self.name}")
            return content

    def write_files(self, contents: Mapping[str, bytes]) -> None:
        """Write files below it, by name, several at once."""
        with errors_told(self):
            system, base = open_system(self.root)
            system.pipe({f"{base}/{(self / name).name}": data for name, data in contents.items()})

    def upload(self, path: Path) -> None:
        """Replace the content by that of a file, which need not fit into memory."""
        with errors_told(self):
            system, base = open_system(self.root)
            system.put_file(str(path), f"{base}/{self.name}")

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the file."""
        missing = contextlib.suppress(FileNotFoundError) if missing_ok else contextlib.nullcontext()
        with missing, errors_told(self):
            system, base = open_system(self.root)
            system.rm_file(f"{base}/{self.name}")


Place = Path | Remote


class Entry(NamedTuple):
    """What a listing tells of a file: its bytes, and the store's mark of its content."""

    size: int
    version: str


def place_of(text: str) -> Place:
    """Return the place that a text means: a URL, or a path of this computer (made absolute)."""
    text = text.removeprefix("file://")
    if "://" in text:
        return Remote(text.rstrip("/"))
    return Path(text).expanduser().resolve()


def size_of(place: Place) -> int:
    """Return the size of a file in bytes."""
    return place.size if isinstance(place, Remote) else place.stat().st_size


@functools.lru_cache(maxsize=2)
def listing(root: str) -> dict[str, Entry]:
    """Return all files below a URL, by their path below it. A process asks the store only once.

    It asks folder by folder at the top, because a store says much about each file. An object may
    have any name. A name that leads out of the folder, or has signs that no text has, is skipped.
    """
    with errors_told(root):
        system, base = open_system(root)
        files: dict[str, Entry] = {}
        try:
            top = system.ls(base, detail=True)
        except FileNotFoundError:  # a folder without files does not exist, but its bucket must
            if not system.exists(base.partition("/")[0] or "/"):
                raise
            return {}
        for found in top:
            below = found["type"] == "directory"
            inner = system.find(found["name"], detail=True) if below else {found["name"]: found}
            for path, entry in inner.items():
                name = path.removeprefix(f"{base}/")
                if entry["type"] == "file" and not path.endswith("/") and stays_below(name):
                    files[name] = Entry(int(entry["size"]), version_in(entry))
        return files


def stays_below(name: str) -> bool:
    """Whether an object's name, taken for a path, stays below its folder, and is printable text."""
    odd = any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
    return bool(name) and not odd and ".." not in name.split("/")


def version_in(entry: Mapping[str, Any]) -> str:
    """Return the mark of a file's content from what a listing tells of the file."""
    return next((str(entry[key]) for key in VERSION_KEYS if entry.get(key)), "")


@functools.cache
def open_system(root: str) -> tuple[Any, str]:
    """Return fsspec's file system for a URL, and the URL's path in it; all threads share it.

    A bucket of Google's is opened with the machine's own credentials, or with none at a stand-in.
    """
    import fsspec  # noqa: PLC0415 - takes half a second with gcsfs, and only a fleet needs it

    options: dict[str, Any] = {"use_listings_cache": False}
    if root.startswith("gs://"):
        emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
        if emulator:  # else gcsfs would probe it for another kind of bucket, and hang
            os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        options["token"] = "anon" if emulator else "google_default"
        logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs what it also raises
    system, base = fsspec.core.url_to_fs(root, **options)
    return system, str(base).rstrip("/")


@contextlib.contextmanager
def errors_told(place: object) -> Iterator[None]:
    """Turn whatever a store's library raises into an OSError that names the place."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{place} is not there") from error
    except OSError as error:
        raise OSError(f"{place}: {error}") from error
    except (ImportError, ValueError) as error:
        raise OSError(f"{place}: {error}") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] in ("gcsfs", "aiohttp", "google", "botocore"):
            raise OSError(f"{place}: {error}") from error
        raise
