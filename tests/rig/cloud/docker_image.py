"""A small container image with the model server's stand-in, made of this machine's own files.

It has the Python that runs the tests, some of its packages, a shell, and the rig's ModelServer. It
also has the packages of vm_side/, in a folder where Python does not look: see light.py. No registry
is needed: `docker import` accepts the tar as it is.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path
from shutil import which

from rig.cloud.vm import Vm

RIG = Path(__file__).parents[1]
NAME = "custom-dots-ocr:unified"
SERVER = "/app/model_container.py"
PACKAGES = ("click", "pillow", "pymupdf")
ASIDE = "/usr/lib/rig-packages"  # Python does not look there by itself
OF_VM_SIDE = ("requirements.txt", "requirements-fleet.txt")
PIN = re.compile(r"^([a-z0-9-]+)==", re.M)
PROGRAMS = (
    "sh",
    "bash",
    "cat",
    "chown",
    "env",
    "id",
    "ls",
    "mkdir",
    "rm",
    "sleep",
    "stat",
    "chmod",
)
OF_LIBC = (
    *("libdl.so.2", "libmvec.so.1", "libpthread.so.0", "libresolv.so.2"),
    *("librt.so.1", "libutil.so.1"),
)
NOT_NEEDED = re.compile(
    r"/(__pycache__|test|tests|idlelib|tkinter|turtledemo|lib2to3|ensurepip|pydoc_data"
    r"|site-packages|dist-packages|config-[^/]*)(/|$)|\.a$"
)


@dataclass(frozen=True)
class ModelContainer:
    """How the container behaves; it is written into the image, so any `docker run` shows it."""

    startup_s: float = 0.0  # loading time before port 8000 answers
    latency_s: float = 0.0  # time before each answer
    # after its start, with exit code 1 and a message about memory
    dies_after_s: float | None = None
    dies_times: int = 1  # per container; later starts live
    holds_times: int = 0  # so many starts of a container answer only one page

    def environment(self) -> list[str]:
        """The image's variables, as NAME=value."""
        values = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": "/app",
            "PYTHONDONTWRITEBYTECODE": "1",
            "RIG_STARTUP_S": self.startup_s,
            "RIG_LATENCY_S": self.latency_s,
            "RIG_DIES_AFTER_S": "" if self.dies_after_s is None else self.dies_after_s,
            "RIG_DIES_TIMES": self.dies_times,
            "RIG_HOLDS_TIMES": self.holds_times,
        }
        return [f"{name}={value}" for name, value in values.items()]


def build_tar(path: Path, packages: Iterable[str] = PACKAGES) -> None:
    """Write the files of the image, about 400 MB: once per test run is enough."""
    files = dict(_files(packages))
    carried = {str(path) for path in files.values()}  # libraries that packages bring themselves
    files.update({name: Path(name) for name in _libraries(files.values()) - carried})
    lists = [(RIG.parents[1] / "vm_side" / name).read_text() for name in OF_VM_SIDE]
    for package in sorted({name for text in lists for name in PIN.findall(text)}):
        with suppress(metadata.PackageNotFoundError):  # then the tests do not need it either
            files.update(_package(package, ASIDE))
    files.update(list(_compiled(files)))
    with tarfile.open(path, "w") as tar:
        for name, source in sorted(files.items()):
            tar.add(source.resolve(), name.lstrip("/"), recursive=False)
        for name in ("python3", "python"):
            _link(tar, f"usr/local/bin/{name}", str(Path(sys.executable).resolve()))
        _text(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        for name, mode in (("tmp", 0o1777), ("root", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)


def add_folder(tar: Path, name: str, folder: Path) -> None:
    """Add the modules of one more package to the image."""
    with tarfile.open(tar, "a") as archive:
        for path in sorted(folder.glob("*.py")):
            archive.add(path, f"app/{name}/{path.name}")


def install_image(
    vm: Vm,
    tar: Path,
    container: ModelContainer | None = None,
    name: str = NAME,
    command: Sequence[str] = ("python3", SERVER),
) -> None:
    """Import the image into a running VM's docker; `command` is its first process."""
    changes = [f"ENV {variable}" for variable in (container or ModelContainer()).environment()]
    changes += [f"ENTRYPOINT {json.dumps(command)}", "WORKDIR /root", "EXPOSE 8000"]
    options = [word for change in changes for word in ("--change", change)]
    with tar.open("rb") as stream:
        vm.run('exec docker import "$@"', *options, "-", name, stdin=stream, timeout_s=600)


def _files(packages: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield pairs: a file's name in the image, and the file here."""
    python = Path(sys.executable).resolve()
    yield str(python), python
    standard_library = Path(sysconfig.get_path("stdlib"))
    for path in standard_library.rglob("*"):
        if path.is_file() and not NOT_NEEDED.search(str(path)):
            yield str(path), path
    for package in packages:
        yield from _package(package, "/app")
    for path in RIG.glob("*.py"):
        if not path.name.startswith("test_"):
            yield f"/app/rig/{path.name}", path
    yield SERVER, RIG / "cloud" / "guest" / "model_container.py"
    yield "/usr/local/bin/nvidia-smi", RIG / "cloud" / "guest" / "nvidia-smi"
    for name in PROGRAMS:
        found = which(name)
        assert found is not None, name
        yield f"/bin/{name}", Path(found)


def _package(name: str, folder: str) -> Iterator[tuple[str, Path]]:
    for entry in metadata.files(name) or []:
        path = Path(str(entry.locate()))
        if ".." not in entry.parts and path.is_file() and path.suffix != ".pyc":
            yield f"{folder}/{entry}", path


def _compiled(files: dict[str, Path]) -> Iterator[tuple[str, Path]]:
    """Include the compiled modules of this Python: otherwise each start compiles them again."""
    for name, path in files.items():
        cached = Path(cache_from_source(path))
        if path.suffix == ".py" and cached.is_file():
            yield f"{name.rpartition('/')[0]}/__pycache__/{cached.name}", cached


def _libraries(files: Iterable[Path]) -> set[str]:
    """The shared libraries that these programs and modules load, with the loader itself.

    Also all parts of the C library, because packages that are mounted later need them.
    """
    binaries = []
    for path in files:
        with path.open("rb") as file:
            if file.read(4) == b"\x7fELF":
                binaries.append(str(path))
    listing = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False)
    found = re.findall(r"(?:=>\s*|^\s*)(/\S+)\s+\(0x", listing.stdout, re.M)
    names = {os.path.normpath(name) for name in found}
    folders = {Path(name).parent for name in names if name.endswith("/libc.so.6")}
    beside = {folder / part for folder in folders for part in OF_LIBC}
    return names | {str(path) for path in beside if path.exists()}


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    tar.addfile(link)


def _text(tar: tarfile.TarFile, name: str, text: str) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(text)
    tar.addfile(info, io.BytesIO(text.encode()))
