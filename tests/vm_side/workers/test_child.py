"""The process that computes for a fleet's node: the node lives, whatever a page does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from picture.images import UnreadablePage
from picture_files import AS_FILES
from results.files import Wanted
from results.steps import Sent, finish, prepare
from rig import hostages
from workers.child import Children

WANTED = Wanted("a/a_page_0", drawing=False, pictures=AS_FILES)
SHAPE = (1_000_000, 0, "0", WANTED, "off")


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Children]:
    """One child process."""
    children = Children(1.0, tmp_path, count=1)
    yield children
    end(children)


def end(children: Children) -> None:
    """End all of them."""
    for child in children.all:
        if child.worker is not None:
            child.worker.end()


def word(source: Path | bytes, pdf_page: int | None, values: dict[str, Any], said: str) -> Any:
    """A step that does what it is told."""
    values["said"] = said
    if said == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    elif said == "computes":
        while True:
            pass
    elif said == "naps":
        time.sleep(1.5)
    elif said == "breaks":
        raise LookupError("a fault of ours")
    elif said == "hoards":
        return len(bytes(1 << 44))
    return os.getpid(), source


def test_a_step_is_done_elsewhere_and_by_one_process(child: Children) -> None:
    values: dict[str, Any] = {}
    content = bytes(100_000)
    found = [child(word, content, None, values, "works") for _ in range(3)]
    assert {pid for pid, _ in found}.isdisjoint({os.getpid()}) and len(set(found)) == 1
    assert found[0][1] == content and values == {"said": "works"}
    assert child(word, b"other", None, values, "works")[1] == b"other"


def large(
    source: Path | bytes, pdf_page: int | None, values: dict[str, Any], folder: Path
) -> list[str]:
    """A step that returns all processes that are in such a step."""
    mark = folder / str(os.getpid())
    mark.touch()
    time.sleep(0.2)
    there = sorted(path.name for path in folder.iterdir())
    mark.unlink()
    return there


@pytest.mark.parametrize(("side", "at_once"), [(40, 2), (8_100, 1)])
def test_two_compute_at_once_but_one_of_what_is_large(
    tmp_path: Path, side: int, at_once: int
) -> None:
    page, marks = tmp_path / "page.png", tmp_path / "marks"
    Image.new("1", (side, side)).save(page)
    marks.mkdir()
    children = Children(10.0, tmp_path, count=2)
    with ThreadPoolExecutor(4) as threads:
        each = [threads.submit(children, large, page, None, {}, marks) for _ in range(6)]
    end(children)
    assert max(len(there.result()) for there in each) == at_once
    assert all(child.worker is not None for child in children.all)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("dies", r"its worker died 2 times \(SIGKILL\)"),
        ("computes", "took longer than 1 s to draw"),
        ("breaks", "unexpected LookupError: a fault of ours"),
    ],
)
def test_a_bad_step_costs_its_page_alone(child: Children, said: str, why: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        others = [threads.submit(child, word, b"", None, {}, "works") for _ in range(4)]
        with pytest.raises(UnreadablePage, match=why):
            child(word, b"source", None, {}, said)
        others += [threads.submit(child, word, b"", None, {}, "works") for _ in range(4)]
        assert all(other.result()[1] == b"" for other in others)


def test_it_ends_when_it_is_told(child: Children) -> None:
    """The node does this at its own end."""
    child(word, b"", None, {}, "works")
    (one,) = child.all
    assert one.worker is not None
    one.worker.process.terminate()
    one.worker.process.join(10)
    assert one.worker.process.exitcode == -signal.SIGTERM
    assert child(word, b"", None, {}, "works")


def test_memory_and_time(child: Children) -> None:
    with pytest.raises(MemoryError):
        child(word, b"", None, {}, "hoards")
    assert child(word, b"", None, {}, "naps")


def test_a_page_from_its_file_to_its_results(child: Children, tmp_path: Path) -> None:
    """The decoded page stays in the child; the file is opened again if a part is needed."""
    path, values = hostages.good(tmp_path / "a.pdf"), dict[str, Any]()
    sent = child(prepare, path, 0, values, *SHAPE)
    assert isinstance(sent, Sent) and sent.page is None and sent.png is not None
    assert values["original_size"] == [1653, 2339] and values["model_size"] == list(sent.size)
    cells = [{"bbox": [0, 0, 50, 50], "category": "Picture"}]
    files, _ = child(finish, path, 0, values, sent, cells, WANTED)
    assert "a/pictures/page_0_1.png" in files and values["cells"] == 1
    assert (values["pictures"], values["pictures_as"]) == (["page_0_1.png"], AS_FILES)


def test_a_fault_of_the_file_is_told_with_what_was_learnt(child: Children, tmp_path: Path) -> None:
    path, values = tmp_path / "a.png", dict[str, Any]()
    path.write_bytes(b"none")
    with pytest.raises(UnreadablePage, match="no picture"):
        child(prepare, path, None, values, *SHAPE)
    assert len(values["sha256"]) == 64
    with pytest.raises(OSError, match="No such file"):
        child(prepare, tmp_path / "gone.png", None, values, *SHAPE)
