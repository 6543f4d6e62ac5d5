"""Change each Python that a command runs, by a sitecustomize.py that Python imports at start."""

from pathlib import Path

IN_A_HURRY = """
import os
os.nice = os.sched_setscheduler = lambda *values: 0
"""
GIVES_WAY_IN_WORDS = """
import os, time
def noted(word):
    with open(NOTES, "a") as notes:
        print(os.getpid(), word, file=notes)
def when_told(pid, policy, param):
    noted("idle" if policy == os.SCHED_IDLE else policy)
    while not os.path.exists(GO):
        time.sleep(0.05)
os.nice, os.sched_setscheduler = noted, when_told
"""
WITHOUT_ENGINES = """
import importlib.util as util
find = util.find_spec
util.find_spec = lambda name, *more: None if name == "rapidocr" else find(name, *more)
"""


def altered(folder: Path, code: str) -> dict[str, str]:
    """Return the environment for a command, so that its Python runs this code at start."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder)}
