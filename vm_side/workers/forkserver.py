"""The process that workers are forked from: it has loaded all that they need, once for all."""

import contextlib
import os
import sys
import types
from collections.abc import Iterator, Mapping
from multiprocessing import forkserver, resource_tracker

from workers.interrupt import signals_held

# What else each worker would import, at its start or at its first page.
PRELOADED = (
    *("workers.pool", "workers.preloaded", "multiprocessing.popen_forkserver", "encodings.idna"),
    *(f"PIL.{kind}ImagePlugin" for kind in ("Bmp", "Gif", "Jpeg", "Png", "Ppm")),
)
# glibc then asks for memory in pages of 2 MiB, where the system has such: of 4 KiB they are so many
# that a colour page spends a seventh of its time on asking.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
NO_THREADS = {"OPENBLAS_NUM_THREADS": "1"}  # of numpy's: none must run when workers are forked


def start_forkserver(module: str) -> None:
    """Start the process that workers are forked from, with the module loaded, if none runs."""
    forkserver.set_forkserver_preload([module, *PRELOADED])
    # it looks for the modules in PYTHONPATH alone
    with environment({"PYTHONPATH": os.pathsep.join(sys.path), **HUGE_PAGES, **NO_THREADS}):
        with signals_held():
            resource_tracker.ensure_running()  # lets SIGINT and SIGTERM go before it returns
        with signals_held():
            forkserver.ensure_running()


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """What is started meanwhile has these variables."""
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
    """What is started meanwhile does not import the main script again, which no worker needs.

    multiprocessing looks for it in sys.modules, and has no switch.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
