"""A page as a line of JSON."""

import json
from pathlib import Path

import pytest

from lib.documents.formats import finetune, jsonl
from lib.documents.rows import line_of
from rig.small_documents import document, written

ENDS = [chr(code) for code in range(0x110000) if len(f"a{chr(code)}b".splitlines()) > 1]


@pytest.mark.parametrize("sign", ENDS)
def test_what_some_readers_take_for_the_end_of_a_line_is_none(sign: str) -> None:
    record = {f"key{sign}": [f"한국어{sign}b"]}
    line = line_of(record)
    assert line.splitlines() == [line.rstrip("\n")] and "한국어" in line
    assert json.loads(line) == record


def test_a_page_is_a_line(tmp_path: Path) -> None:
    text = "one\u2028two\u2029three\x85four"
    what = document([("Text", text)], prompt_mode="ocr")
    written(jsonl.write, what, tmp_path)
    lines = (tmp_path / "report.jsonl").read_text(encoding="utf-8").splitlines()
    lines += finetune.example(what.pages[0], "picture.png").splitlines()
    row, example = map(json.loads, lines)
    assert row["cells"][0]["text"] == example["messages"][1]["content"] == text
