"""Load Google's library for Compute Engine without the hundred services that we do not use.

By itself it loads all of them, which takes a second of each command. From Python 3.15 on it will
load them one by one itself (PEP 810); then this file can go.
"""

import importlib
import importlib.util
import re
import sys
from types import ModuleType
from typing import Any

LIBRARY = "google.cloud.compute_v1"


def load_what_is_used() -> None:
    """Load only the parts of the library that are named from now on; no change if it is loaded."""
    if LIBRARY in sys.modules:
        return
    spec = importlib.util.find_spec(LIBRARY)
    assert spec is not None  # it is in requirements.txt
    package = importlib.util.module_from_spec(spec)  # its own code is not run: that loads all
    package.__dict__["__getattr__"] = member
    sys.modules[LIBRARY] = package


def member(name: str) -> Any:
    """Return a client or a message of the library, by its name there. Raises AttributeError."""
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return getattr(home_of(name), name)
    except ModuleNotFoundError as error:
        raise AttributeError(name) from error


def home_of(name: str) -> ModuleType:
    """Return the library's module that has this name."""
    if name.endswith("Client"):
        service = re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Client")).lower()
        return importlib.import_module(f"{LIBRARY}.services.{service}")
    return importlib.import_module(f"{LIBRARY}.types.compute")
