"""Docker's folder with the model's image: made once a test run, hard-linked into VMs.

An import takes seconds of CPU time, and needs a boot first; this takes tenths of a second. Docker
never writes into the files of an image's layer, so VMs can share them. The rest of its folder is
copied.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

from rig.cloud.docker_image import ModelContainer, install_image
from rig.cloud.leftovers import Leftovers
from rig.cloud.network import Network
from rig.cloud.vm import Vm

DOCKER = "/var/lib/docker"
IMAGES = "image/overlay2"  # below DOCKER
HASH = "sha256:"


def lend_image(vm: Vm, tar: Path, container: ModelContainer | None = None) -> None:
    """Put the image into the docker of a VM that has never been on."""
    docker = vm.path(DOCKER)
    docker.rmdir()
    leave = shutil.ignore_patterns("backingFsBlockDev")  # docker makes it again for the VM's disk
    shutil.copytree(store_of(tar), docker, ignore=leave, symlinks=True, copy_function=_lend)
    if container is not None:
        _behave(docker / IMAGES, container)


def store_of(tar: Path) -> Path:
    """Docker's folder after a real docker imported this image; other processes wait for it."""
    store = tar.with_suffix(".docker")
    with tar.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not store.exists():
            _import(tar, store)
    return store


def _import(tar: Path, store: Path) -> None:
    folder = store.with_suffix(".vm")
    with Leftovers() as leftovers:
        leftovers.folder(folder)
        vm = Vm(Network(leftovers), leftovers, folder, "importer")
        try:
            vm.boot()
            vm.wait_for_boot()
            install_image(vm, tar)
            vm.halt()
        finally:
            vm.kill()
        vm.path(DOCKER).rename(store)


def _lend(source: str, target: str) -> None:
    if "/diff/" in source:  # the files of the layer
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def _behave(images: Path, container: ModelContainer) -> None:
    """Give the image other variables: this makes another image of the same layer."""
    names, configs = images / "repositories.json", images / "imagedb/content/sha256"
    (config,) = configs.iterdir()
    document = json.loads(config.read_text())
    document["config"]["Env"] = container.environment()
    content = json.dumps(document).encode()
    digest = sha256(content).hexdigest()
    names.write_text(names.read_text().replace(HASH + config.name, HASH + digest))
    config.unlink()
    (configs / digest).write_bytes(content)
