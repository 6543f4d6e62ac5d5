"""The process that workers are forked from: it loads what they need, once for all of them."""

import contextlib
import os
import sys
import types
from collections.abc import Iterator, Mapping
from multiprocessing import forkserver, resource_tracker

from workers.interrupt import signals_held

# What each worker would import otherwise, at its start or at its first page.
PRELOADED = (
    *("workers.pool", "workers.preloaded", "multiprocessing.popen_forkserver", "encodings.idna"),
    *(f"PIL.{kind}ImagePlugin" for kind in ("Bmp", "Gif", "Jpeg", "Png", "Ppm")),
)
# glibc then asks for memory in pages of 2 MiB, if the system has them. Pages of 4 KiB would be so
# many that a colour page spends a seventh of its time on asking for them.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
NO_THREADS = {"OPENBLAS_NUM_THREADS": "1"}  # in numpy: no thread may run at a fork


def start_forkserver(module: str) -> None:
    """Start the process that workers are forked from, with the module loaded, if none runs."""
    forkserver.set_forkserver_preload([module, *PRELOADED])
    # the fork server looks for the modules only in PYTHONPATH
    with environment({"PYTHONPATH": os.pathsep.join(sys.path), **HUGE_PAGES, **NO_THREADS}):
        with signals_held():
            resource_tracker.ensure_running()  # it unblocks SIGINT and SIGTERM at its end
        with signals_held():
            forkserver.ensure_running()


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Processes that are started in the block have these environment variables."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def main_hidden() -> Iterator[None]:
    """Processes that are started in the block do not import the main script: no worker needs it.

    multiprocessing takes it from sys.modules, and has no option against that.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
