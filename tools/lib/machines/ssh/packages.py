"""The packages of vm_side/ for the machine's Python, collected on this computer."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import files
from lib.console import Failure, note
from lib.knobs import ROOT

REQUIREMENTS = ROOT / "vm_side" / "requirements.txt"
FLEET_REQUIREMENTS = ROOT / "vm_side" / "requirements-fleet.txt"
READER_REQUIREMENTS = ROOT / "vm_side" / "requirements-reader.txt"
PACKAGES = ROOT / ".vm-packages"
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")


def collect_packages(version: str, for_fleet: bool = False, for_reader: bool = False) -> Path:
    """Return a folder of the packages that vm_side/ needs, for this version of Python on Linux.

    We make it on this computer, because a bare GPU image may lack pip, and a machine without an
    external address reaches no package index. A fleet needs some more packages. So does the second
    reader, which a fleet does not have.
    """
    wanted = READER_REQUIREMENTS if for_reader else REQUIREMENTS
    wanted = FLEET_REQUIREMENTS if for_fleet else wanted
    folder = folder_of(version, wanted)
    if folder.is_dir():
        return folder
    note(f"collecting the machine's packages for Python {version}, once …")
    PACKAGES.mkdir(exist_ok=True)
    part = Path(tempfile.mkdtemp(files.PART, f"{folder.name}.", PACKAGES))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--disable-pip-version-check", "--upgrade", "--target", str(part)]
    command += ["--only-binary", ":all:", "--python-version", version]
    command += [text for name in PLATFORMS for text in ("--platform", name)]
    command += ["--require-hashes", "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(part, ignore_errors=True)
        raise Failure(
            f"pip could not collect the machine's packages for Python {version}:\n"
            f"{done.stderr.strip()}",
            "fix what it says, then make start",
        )
    try:
        part.rename(folder)
    except OSError:  # another run was faster
        shutil.rmtree(part)
    return folder


def folder_of(version: str, wanted: Path) -> Path:
    """Where the packages of these requirements are collected."""
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]
    return PACKAGES / f"python{version}-{digest}"
