"""Every deliberate difference from the reference client in what becomes of an answer.

A test's name is that of its entry in README.md, where the reason stands.
"""

import base64
import json

from parity.both import EMBEDDED, decoded, fingerprint, layout, run_ours
from parity.one_page import SIZE, Both, cell, is_lost, markdown
from rig.model_server import Reply
from rig.pages import article
from rig.replies import in_turn

# ---- cells ----


def test_boxes_inside_out(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[700, 400, 84, 62])))
    assert run.cells("page/page")[0]["bbox"] == [40, 29, 333, 189]
    assert made.cells[0]["bbox"] == [333, 189, 40, 29]


def test_boxes_off_the_page(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[-84, -62, 1000, 1500], category="Picture")))
    assert run.cells("page/page")[0]["bbox"] == [0, 0, *SIZE]
    assert made.cells[0]["bbox"] == [-40, -29, 476, 712]
    crops = [EMBEDDED.search(text) for text in (markdown(run), made.pages[0]["md"])]
    sizes = [decoded(base64.b64decode(crop[1])).size for crop in crops if crop]
    assert sizes == [SIZE, (516, 741)]


def test_boxes_of_strips(both: Both) -> None:
    """A strip may pass -m; the reference scales by the size within -m that it did not send."""
    path = both.input / "page.png"
    article(50).resize((2100, 20)).save(path)
    answer = layout(cell(bbox=[0, 0, 1000, 28]))
    both.server.script = lambda request: Reply(answer)
    run = run_ours(both.server, both.input, both.folder / "out", "-m", 3136)
    made = both.reference.read(path, [answer], upsample=True, max_pixels=3136)
    assert run.requests[0].size == made.size()
    wide = run.requests[0].size[0]
    assert run.cells("page/page")[0]["bbox"][2] == min(2100, 1000 * 2100 // wide)
    assert made.cells[0]["bbox"] != run.cells("page/page")[0]["bbox"]


def test_exact_repeats(both: Both) -> None:
    run, made = both.answer(layout(cell(), cell(), cell(text="other"), cell()))
    assert [c["text"] for c in run.cells("page/page")] == ["text", "other"]
    assert len(made.cells) == 4


def test_categories(both: Both) -> None:
    named = ("Abstract", "list_item", "TITLE", None)
    run, made = both.answer(layout(*(cell(category=name) for name in named)))
    found = [c["category"] for c in run.cells("page/page")]
    assert found == ["Text", "List-item", "Title"]  # None is Text as well, and so a repeat
    assert [c["category"] for c in made.cells] == [*named]


def test_no_category(both: Both) -> None:
    run, made = both.answer('[{"bbox": [84, 62, 700, 400], "text": "text"}]')
    assert run.cells("page/page")[0]["category"] == "Text"
    assert "KeyError" in made.error


def test_other_keys(both: Both) -> None:
    run, made = both.answer(layout(cell(confidence=0.5)))
    assert list(run.cells("page/page")[0]) == ["bbox", "category", "text"]
    assert made.cells[0]["confidence"] == 0.5


TWO = layout(cell(), cell(text="more"))


DAMAGED = {  # the answer, and how many cells are in it
    "cut short": (TWO[:-12], 2),
    "a fence around": (f"```json\n{TWO}\n```", 2),
    "more words": (f"{TWO}\nThat is all.", 2),
    "no comma": (TWO.replace("}, {", "} {"), 2),
    "a quote": (TWO.replace('"more"', '"m"or"e"'), 2),
    "three numbers": (layout(cell(bbox=[84, 62, 700]), cell()), 1),
    "no number": (layout(cell(bbox=[84, 62, "x", 400]), cell()), 1),
    "no box": (layout({"category": "Text", "text": "text"}, cell()), 1),
    "one object": (json.dumps(cell()), 1),
    "an object around": (json.dumps({"layout": [cell()]}), 1),
}


def test_damaged_answers(both: Both) -> None:
    for number in range(len(DAMAGED)):
        both.page(f"page{number}.png")
    both.server.script = in_turn(*(Reply(answer) for answer, _ in DAMAGED.values()))
    run = run_ours(both.server, both.input, both.folder / "out", "-p", 1, "--retries", 0)
    for page, (name, (answer, count)) in zip(run.as_read, DAMAGED.items(), strict=True):
        assert run.records[page]["status"] == "repaired", name
        assert len(run.cells(page)) == count, name
        assert run.cells(page)[0]["bbox"] == [40, 29, 333, 189], name
        assert is_lost(both.reference.read(both.input / "page0.png", [answer])), name


def test_boxes_of_five_numbers(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[84, 62, 700, 400, 1]), cell(text="other")))
    assert [c["text"] for c in run.cells("page/page")] == ["other"]
    assert len(made.cells) == 2


def test_empty_array(both: Both) -> None:
    run, made = both.answer("[]")
    assert run.records["page/page"]["status"] == "blank"
    assert run.cells("page/page") == []
    assert is_lost(made)


def test_prose(both: Both) -> None:
    run, made = both.answer("I see a page.")
    assert run.records["page/page"]["status"] == "failed"
    assert not (run.output / "page/page.json").exists()
    assert made.cells == "I see a page."


def test_text_that_is_no_string(both: Both) -> None:
    run, made = both.answer(layout(cell(text=5)))
    assert run.cells("page/page")[0]["text"] == "5"
    assert "AttributeError" in made.error


def test_text_that_is_no_unicode(both: Both) -> None:
    run, made = both.answer(
        '[{"bbox": [84, 62, 700, 400], "category": "Text", "text": "a\\ud800"}]'
    )
    assert run.cells("page/page")[0]["text"] == "a?"
    assert "UnicodeEncodeError" in made.error


# ---- Markdown ----


FORMULAS = (  # the text of a cell, our Markdown, the reference's
    ("E = mc^2", "$$\nE = mc^2\n$$", "E = mc^2"),
    (r"\(x\)", r"\(x\)", "$$\n\\(x\\)\n$$"),
    ("a \\[\nx\n\\] b", "a \\[\nx\n\\] b", "$$\na \\[\nx\n\\] b\n$$"),
    (r"\[a\] b \[c\]", r"\[a\] b \[c\]", "$$\na\\] b \\[c\n$$"),
    (r"\[$x$\]", r"\[$x$\]", "$$\n$x$\n$$"),
    (r"\usepackage{a}\beta", "$$\n\\usepackage{a}\\beta\n$$", "$$\n\\beta\n$$"),
)


def test_formulas(both: Both) -> None:
    texts, ours, theirs = zip(*FORMULAS, strict=True)
    run, made = both.answer(layout(*(cell(category="Formula", text=text) for text in texts)))
    assert run.cells("page/page") == made.cells
    assert markdown(run) == "\n\n".join(ours)
    assert made.pages[0]["md"] == "\n\n".join(theirs)


def test_pictures_without_area(both: Both) -> None:
    run, made = both.answer(layout(cell(bbox=[84, 62, 84, 400], category="Picture")))
    assert markdown(run) == "![]()"
    assert made.error


def test_embedded_files(both: Both) -> None:
    run, made = both.answer(layout({"bbox": [84, 62, 700, 400], "category": "Picture"}))
    crops = [EMBEDDED.search(text) for text in (markdown(run), made.pages[0]["md"])]
    ours, theirs = (base64.b64decode(crop[1]) for crop in crops if crop)
    assert ours != theirs
    assert fingerprint(decoded(ours)) == fingerprint(decoded(theirs))


def test_layout_only(both: Both) -> None:
    answer = '[{"bbox": [84, 62, 700, 400], "category": "Text"}]'
    run, made = both.answer(answer, mode="layout_only", prompt="prompt_layout_only_en")
    assert run.cells("page/page") == made.cells
    assert markdown(run) == ""
    assert made.pages[0]["md"] is None


def test_ocr(both: Both) -> None:
    run, made = both.answer("All the text.", mode="ocr", prompt="prompt_ocr")
    whole_page = {"bbox": [0, 0, *SIZE], "category": "Text", "text": "All the text."}
    assert run.cells("page/page") == [whole_page]
    assert made.pages[0]["json"] is None
    assert markdown(run) == made.pages[0]["md"] == "All the text."
