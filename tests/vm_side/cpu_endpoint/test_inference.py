"""The real engine on pages drawn here, in a process of its own."""

import html
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymupdf
import pytest
import requests

from rig.command import wait_until

VM_SIDE = Path(__file__).resolve().parents[3] / "vm_side"
Chat = Callable[..., dict[str, Any]]
LAYOUT_ALL = (
    "Please output the layout information from the PDF image, including each layout element"
)
LAYOUT_ONLY = "Please output the layout information. Do not output the corresponding text."
OCR = "Extract the text content from this image."
HARBOUR = (
    "The harbour wakes long before the town does. Fishing boats come home with the first "
    "light, and gulls follow them in a loud white cloud. Crates of silver fish are carried "
    "up the stone steps while the baker opens his door across the square."
)
KOREAN = (
    "도서관은 매일 아침 아홉 시에 문을 연다.",
    "여름 방학에는 어린이 행사가 열린다.",
    "책은 두 주 동안 빌릴 수 있다.",
    "음료는 뚜껑이 있는 컵에 담아 주세요.",
)
BOATS = [
    ("Boat", "Length", "Crew"),
    ("Aurora", "12.5", "4"),
    ("Borealis", "18.0", "7"),
    ("Calypso", "9.8", "2"),
    ("Dorothea", "21.3", "11"),
]


@pytest.fixture
def page() -> Iterator[pymupdf.Page]:
    with pymupdf.open() as document:
        yield document.new_page(width=595, height=842)


def text(page: pymupdf.Page, x: float, y: float, words: str, size: float, font: str) -> None:
    page.insert_text((x, y), words, fontsize=size, fontname=font)


def paragraph(page: pymupdf.Page, x1: float, y1: float, x2: float, y2: float, words: str) -> None:
    left = page.insert_textbox((x1, y1, x2, y2), words, fontsize=11, fontname="helv")
    assert left >= 0, "the box is too small for its text"


def ask(endpoint: Any, body: dict[str, Any]) -> str:
    answer = requests.post(f"{endpoint.url}/v1/chat/completions", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def cells(endpoint: Any, page: pymupdf.Page, chat: Chat, dpi: int = 100) -> list[dict[str, Any]]:
    image = page.get_pixmap(dpi=dpi)
    found: list[dict[str, Any]] = json.loads(ask(endpoint, chat(image.tobytes("png"), LAYOUT_ALL)))
    for cell in found:
        x1, y1, x2, y2 = cell["bbox"]
        assert 0 <= x1 < x2 <= image.width and 0 <= y1 < y2 <= image.height
        assert all(isinstance(v, int) for v in cell["bbox"])
        assert ("text" in cell) == (cell["category"] != "Picture")
    return found


def test_an_english_page(endpoint: Any, page: pymupdf.Page, chat: Chat) -> None:
    text(page, 72, 110, "A Day at the Harbour", 26, "hebo")
    text(page, 72, 160, "Morning", 15, "hebo")
    paragraph(page, 72, 172, 523, 250, HARBOUR)
    text(page, 72, 275, "Evening", 15, "hebo")
    paragraph(page, 72, 287, 523, 365, HARBOUR)
    for i, item in enumerate(("bring a warm coat", "bring a camera", "bring some bread")):
        text(page, 84, 400 + 20 * i, f"\u2022 {item}", 11, "helv")
    text(page, 285, 812, "Page 12", 10, "helv")
    found = cells(endpoint, page, chat)
    assert [(c["category"], c["text"]) for c in found] == [
        ("Title", "# A Day at the Harbour"),
        ("Section-header", "## Morning"),
        ("Text", HARBOUR),
        ("Section-header", "## Evening"),
        ("Text", HARBOUR),
        ("List-item", "- bring a warm coat"),
        ("List-item", "- bring a camera"),
        ("List-item", "- bring some bread"),
        ("Page-footer", "Page 12"),
    ]


def test_the_other_prompts(endpoint: Any, chat: Chat) -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=360, height=200)
        text(page, 30, 60, "Evening", 24, "hebo")
        text(page, 30, 110, "The ferry leaves for the islands.", 12, "helv")
        image = page.get_pixmap(dpi=120).tobytes("png")
    full = json.loads(ask(endpoint, chat(image, LAYOUT_ALL)))
    only = json.loads(ask(endpoint, chat(image, LAYOUT_ONLY)))
    assert only == [{"bbox": c["bbox"], "category": c["category"]} for c in full]
    assert ask(endpoint, chat(image, OCR)) == "Evening\n\nThe ferry leaves for the islands."
    box = f"Extract text from the given bounding box\nBounding Box:\n{full[1]['bbox']}"
    assert ask(endpoint, chat(image, box)) == "The ferry leaves for the islands."


def test_two_columns_are_read_one_after_the_other(
    endpoint: Any, page: pymupdf.Page, chat: Chat
) -> None:
    text(page, 130, 90, "Harbours of the North", 28, "hebo")
    boxes = ((60, 130, 285, 320), (60, 330, 285, 520), (310, 130, 535, 350), (310, 370, 535, 560))
    for word, box in zip(("ALPHA", "BRAVO", "CHARLIE", "DELTA"), boxes, strict=True):
        paragraph(page, *box, f"{word}. {HARBOUR}")
    read = " ".join(c["text"] for c in cells(endpoint, page, chat))
    names = re.findall("Harbours|ALPHA|BRAVO|CHARLIE|DELTA", read)
    assert names == ["Harbours", "ALPHA", "BRAVO", "CHARLIE", "DELTA"]


def test_a_table_comes_as_html(endpoint: Any, page: pymupdf.Page, chat: Chat) -> None:
    paragraph(page, 72, 90, 523, 170, HARBOUR)
    text(page, 72, 215, "Table 1. Boats in the harbour", 10, "helv")
    for r, row in enumerate(BOATS):
        for c, value in enumerate(row):
            x, y = 72 + 150 * c, 230 + 28 * r
            page.draw_rect((x, y, x + 150, y + 28))
            text(page, x + 10, y + 18, value, 11, "helv")
    paragraph(page, 72, 400, 523, 480, HARBOUR)
    found = cells(endpoint, page, chat)
    tables = [c["text"] for c in found if c["category"] == "Table"]
    assert len(tables) == 1
    rows = re.findall(r"<tr>(.*?)</tr>", tables[0])
    read = [tuple(html.unescape(v) for v in re.findall(r"<td>(.*?)</td>", row)) for row in rows]
    assert read == BOATS
    assert [c["category"] for c in found].count("Text") == 2


@pytest.mark.usefixtures("korean_tesseract")
def test_a_korean_page(endpoint: Any, page: pymupdf.Page, chat: Chat) -> None:
    text(page, 72, 120, "도서관 이용 안내", 24, "korea")
    for i, line in enumerate(KOREAN):
        text(page, 72, 180 + 24 * i, line, 12, "korea")
    text(page, 72, 330, "The library is open every day of the week.", 12, "helv")
    read = "".join(c["text"] for c in cells(endpoint, page, chat)).replace(" ", "")
    wanted = "".join(KOREAN).replace(" ", "")
    missed = [char for char in set(wanted) if char not in read]
    assert len(missed) <= 0.06 * len(set(wanted)), missed
    assert "도서관이용안내" in read
    assert "Thelibraryisopeneverydayoftheweek." in read


def test_a_blank_page_gives_an_empty_array(endpoint: Any, page: pymupdf.Page, chat: Chat) -> None:
    assert cells(endpoint, page, chat) == []
    image = page.get_pixmap(dpi=100).tobytes("png")
    assert ask(endpoint, chat(image, OCR)) == ""


@pytest.mark.parametrize("size", [(28, 28), (1400, 28), (30, 1200), (3, 3)])
def test_odd_pictures_do_not_break_it(endpoint: Any, chat: Chat, size: tuple[int, int]) -> None:
    pixmap = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, *size))
    pixmap.clear_with(200)
    json.loads(ask(endpoint, chat(pixmap.tobytes("png"), LAYOUT_ALL)))


def test_sigterm_ends_it_soon_though_a_page_is_read(
    start_endpoint: Any, page: pymupdf.Page, chat: Chat
) -> None:
    for i in range(70):
        text(page, 20, 20 + 11 * i, "many words for the reader to read " * 4, 8, "helv")
    body = chat(page.get_pixmap(dpi=200).tobytes("png"), LAYOUT_ALL)
    running = start_endpoint()
    answers: list[int] = []

    def post() -> None:
        url = f"{running.url}/v1/chat/completions"
        answers.append(requests.post(url, json=body, timeout=300).status_code)

    thread = threading.Thread(target=post)
    thread.start()
    busy = re.compile(r"^vllm:num_requests_running\S* 1", re.M)
    wait_until(lambda: busy.search(requests.get(f"{running.url}/metrics").text))
    assert running.stop() == 0
    thread.join()
    assert answers == [503]
    assert not any("Traceback" in line for line in running.said)


def test_it_travels_alone_and_says_what_is_missing(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr", reason="the CPU engine's packages")
    shutil.copytree(VM_SIDE / "cpu_endpoint", tmp_path / "cpu_endpoint")
    process = subprocess.Popen(
        [sys.executable, "-m", "cpu_endpoint", "--port", "0"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        missing, ready = process.stderr.readline(), process.stderr.readline()
        assert "sudo apt-get install tesseract-ocr tesseract-ocr-kor" in missing
        assert "ready at http://127.0.0.1:" in ready and "Korean: no" in ready
        url = ready.split()[3]
        [card] = requests.get(f"{url}/v1/models", timeout=30).json()["data"]
        assert card["lacks"] in missing
    finally:
        process.terminate()
        process.communicate()


def test_a_port_in_use_is_named(endpoint: Any) -> None:
    port = endpoint.url.rsplit(":", 1)[1]
    done = subprocess.run(
        [sys.executable, "-m", "cpu_endpoint", "--port", port],
        cwd=VM_SIDE,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert f"port {port}" in done.stderr and "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [p.stem for p in sorted((VM_SIDE / "cpu_endpoint").glob("*.py"))])
def test_importing_a_file_loads_no_model(name: str) -> None:
    """Every file can be found and compiled without the packages of the models."""
    assert importlib.util.find_spec(f"cpu_endpoint.{name}") is not None
    source = (VM_SIDE / "cpu_endpoint" / f"{name}.py").read_text(encoding="utf-8")
    assert not re.search(r"^(import|from) (rapid|onnx)", source, re.M)
    compile(source, name, "exec")
