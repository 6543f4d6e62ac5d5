"""Applying corrections to OUTPUT, also if the process that writes the pages dies."""

from pathlib import Path

import pytest

from lib.corrections import applying
from lib.knobs import Knobs

TORN = """\
import os, signal, sys
told = sys.argv[sys.argv.index("--told") + 1]
with open(told, "w") as file:
    file.write('{"input": "a.png", "pdf_page": null, "files": []}\\n{"input": "b.p')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_told_before_the_writer_was_killed_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "writer.py").write_text(TORN)
    monkeypatch.setattr(applying, "WRITER", tmp_path / "writer.py")
    told = applying.write_anew([], tmp_path, None, tmp_path, Knobs())
    assert told == {("a.png", None): {"input": "a.png", "pdf_page": None, "files": []}}
