"""What comes home and what stands there: one OUTPUT, one truth, nothing of the user's is lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.corrected import corrected
from lib.home import bring_home
from lib.knobs import Knobs
from lib.machines.local import LocalMachine
from lib.machines.machine import Moved
from lib.results import read_lines, text_of
from lib.standing import Fate, fate
from picture_files import picture_paths
from rig.command import records_in
from rig.toolkit import files_below, line

OWN = {"manifest.jsonl"}


class Desk:
    """A machine's results, and OUTPUT."""

    def __init__(self, folder: Path) -> None:
        self.output, self.result = folder / "out", folder / "machine" / "result"
        self.knobs = Knobs(
            target="local", output=str(self.output), machine_dir=str(folder / "machine")
        )
        self._times = iter(range(1, 1000))

    def reads(self, *lines: dict[str, Any], text: str = "read") -> None:
        """The machine's manifest, and files of the pages that are done, with this text."""
        self.result.mkdir(parents=True, exist_ok=True)
        stamped = [{"finished_at": float(next(self._times)), **entry} for entry in lines]
        manifest = "".join(json.dumps(entry) + "\n" for entry in stamped)
        (self.result / "manifest.jsonl").write_text(manifest)
        for entry in lines:
            if entry["status"] == "ok":
                self.write(self.result, entry["page"], text)
                for path in picture_paths(entry["page"], entry.get("pictures")):
                    (self.result / path).parent.mkdir(exist_ok=True)
                    (self.result / path).write_text(f"{text}: a picture")

    def write(self, folder: Path, page: str, text: str) -> None:
        """The files of a page."""
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        for ending in (".md", "_nohf.md"):
            (folder / f"{page}{ending}").write_text(text)
        (folder / f"{page}.json").write_text(json.dumps([{"text": text}]))

    def brings(self, failed: int = 0) -> Moved:
        _, moved = bring_home(LocalMachine(self.knobs), self.knobs)
        assert len(moved.failed) == failed, moved.failed
        return moved

    def corrects(self, page: str, text: str) -> None:
        """What make apply leaves of a page."""
        self.write(self.output, page, text)
        manifest = self.output / "manifest.jsonl"
        lines = [
            corrected(one, 1, 9.5, {}) if one.page == page else one
            for one in read_lines(manifest.read_text())
        ]
        manifest.write_text(text_of(lines))

    def md(self, page: str) -> str:
        return (self.output / f"{page}.md").read_text()

    @property
    def inputs(self) -> list[tuple[str, int | None]]:
        """Whose lines OUTPUT's manifest has."""
        return [(entry["input"], entry["pdf_page"]) for entry in records_in(self.output)]

    def old(self) -> dict[str, str]:
        """What was kept beside."""
        names = [name for name in files_below(self.output) if ".old" in name]
        return {name: (self.output / name).read_text() for name in names}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path)


def page(name: str, sha256: str = "1", **more: Any) -> dict[str, Any]:
    """A line of a picture `name`, whose results are those of its stem."""
    stem = name.rpartition(".")[0]
    return line(f"{stem}/{stem}", name, sha256=sha256, **more)


def pdf(count: int, sha256: str) -> list[dict[str, Any]]:
    return [
        line(f"r/r_page_{i}", "r.pdf", pdf_page=i, sha256=sha256, pdf_pages=count)
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("comes", "stands", "brought", "is_of_another", "expected"),
    [
        ("new", "new", "", False, Fate.REPLACED),
        ("new", "old", "old", False, Fate.REPLACED),
        ("new", "old", "old", True, Fate.KEPT_BESIDE),
        ("new", "changed", "old", False, Fate.KEPT_BESIDE),
        ("new", "changed", "", False, Fate.KEPT_BESIDE),  # nobody knows whose it is
        ("old", "changed", "old", False, Fate.STAYS),
        ("old", "changed", "old", True, Fate.STAYS),
    ],
)
def test_what_becomes_of_a_file(
    comes: str, stands: str, brought: str, is_of_another: bool, expected: Fate
) -> None:
    assert fate(comes, stands, brought, is_of_another) is expected


def test_a_correction_by_hand_stays(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Also while other pages come, and when the same page is read again with the same text."""
    desk.reads(page("a.png"))
    desk.brings()
    (desk.output / "a/a.md").write_text("corrected")
    desk.brings()
    a = json.loads((desk.result / "manifest.jsonl").read_text())
    desk.reads(a, page("b.png"))
    desk.brings()
    assert (desk.md("a/a"), desk.md("b/b")) == ("corrected", "read")
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    assert (desk.md("a/a"), desk.old(), capsys.readouterr().err) == ("corrected", {}, "")


def statuses(desk: Desk) -> dict[str, str]:
    return {entry["input"]: entry["status"] for entry in records_in(desk.output)}


def test_a_corrected_page_stays(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever comes: the same again, with another page, and read by a machine that was new."""
    desk.reads(page("a.png"))
    desk.brings()
    desk.corrects("a/a", "by a person")
    line_of_a = (desk.output / "manifest.jsonl").read_text()
    for again in (page("a.png", finished_at=1.0), page("a.png"), page("a.png", status="failed")):
        desk.reads(again, page("b.png"), text="read anew")
        desk.brings()
        assert (desk.md("a/a"), desk.md("b/b")) == ("by a person", "read anew")
        assert statuses(desk) == {"a.png": "corrected", "b.png": "ok"}
        assert (desk.output / "manifest.jsonl").read_text().startswith(line_of_a)
    assert (desk.old(), capsys.readouterr().err) == ({}, "")


@pytest.mark.parametrize(
    "more",
    [{"forced": True}, {"sha256": "2"}, {"model": "dots.mocr"}],
    ids=lambda more: next(iter(more)),
)
@pytest.mark.parametrize("text", ["read", "read anew"])
def test_a_corrected_page_that_is_read_otherwise_is_kept_beside(
    desk: Desk, capsys: pytest.CaptureFixture[str], more: dict[str, Any], text: str
) -> None:
    """All of its files, and told; also where the new reading says what the first one said."""
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    desk.corrects("a/a", "by a person")
    desk.reads(page("a.png") | more, page("b.png"), text=text)
    desk.brings()
    assert (desk.md("a/a"), statuses(desk)["a.png"]) == (text, "ok")
    assert set(desk.old()) == {"a/a.json.old", "a/a.md.old", "a/a_nohf.md.old"}
    assert desk.old()["a/a.md.old"] == "by a person"
    assert "kept next to what is new: a/a.json.old and 2 more" in capsys.readouterr().err
    desk.corrects("a/a", "by a person again")
    desk.brings()
    assert (desk.md("a/a"), statuses(desk)["a.png"]) == ("by a person again", "corrected")


@pytest.mark.parametrize("torn", [None, "", "[{"])
def test_a_corrected_page_whose_files_are_gone_comes_as_it_was_read(
    desk: Desk, torn: str | None
) -> None:
    """So a correction can be taken back."""
    desk.reads(page("a.png"))
    desk.brings()
    desk.corrects("a/a", "by a person")
    if torn is None:
        (desk.output / "a/a.json").unlink()
    else:
        (desk.output / "a/a.json").write_text(torn)
    desk.brings()
    assert (desk.md("a/a"), statuses(desk)) == ("read", {"a.png": "ok"})
    assert desk.old()["a/a.md.old"] == "by a person"


def test_a_summary_counts_what_is_corrected(desk: Desk) -> None:
    desk.reads(page("a.png"), page("b.png"))
    (desk.result / "summary.json").write_text(json.dumps({"pages": 2, "ok": 2, "doubts": {}}))
    desk.brings()
    desk.corrects("a/a", "by a person")
    desk.brings()
    found = json.loads((desk.output / "summary.json").read_text())
    assert (found["ok"], found["corrected"]) == (1, 1)


def test_a_correction_of_an_output_without_a_record_stays(desk: Desk) -> None:
    """One that an earlier version made."""
    desk.reads(page("a.png"))
    desk.brings()
    manifest = desk.output / "manifest.jsonl"
    manifest.write_text("".join(one.said + "\n" for one in read_lines(manifest.read_text())))
    (desk.output / "a/a.md").write_text("corrected")
    a = json.loads((desk.result / "manifest.jsonl").read_text())
    desk.reads(a, page("b.png"))
    desk.brings()
    assert (desk.md("a/a"), desk.old()) == ("corrected", {})


def test_a_correction_is_kept_beside_what_was_read_anew(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """And told, where nobody watches; what nobody changed is replaced without a word."""
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    for number in (1, 2, 3):
        (desk.output / "a/a.md").write_text(f"corrected {min(number, 2)}")
        desk.reads(page("a.png"), page("b.png"), text=f"read {number}")
        desk.brings()
        assert "kept next to what is new: a/a.md.old" in capsys.readouterr().err
    assert desk.old() == {"a/a.md.old": "corrected 1", "a/a.md.old2": "corrected 2"}
    assert desk.md("a/a") == desk.md("b/b") == "read 3"
    desk.reads(page("a.png"), page("b.png"), text="read 4")
    desk.brings()
    assert (desk.md("a/a"), len(desk.old()), capsys.readouterr().err) == ("read 4", 2, "")


def test_results_of_another_input_of_that_name(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """page1.png, then page1.jpg; then another page1.jpg, of another folder."""
    desk.reads(page("page1.png", "1"), text="of the first")
    desk.brings()
    desk.reads(page("page1.jpg", "2"), text="of the second")
    desk.brings()
    assert desk.inputs == [("page1.jpg", None)]
    desk.reads(page("page1.jpg", "3"), text="of the third")
    desk.brings()
    assert desk.inputs == [("page1.jpg", None)]
    assert desk.md("page1/page1") == "of the third"
    assert desk.old()["page1/page1.md.old"] == "of the first"
    assert desk.old()["page1/page1.md.old2"] == "of the second"
    assert capsys.readouterr().err.count("kept next to what is new: page1/page1.json.old") == 2


def test_what_failed_takes_no_results_from_another(desk: Desk) -> None:
    """The text that stands is still the first one's."""
    desk.reads(page("page1.png", "1"))
    desk.brings()
    desk.reads(page("page1.jpg", "2", status="failed"))
    desk.brings()
    assert (set(desk.inputs), desk.md("page1/page1")) == (
        {("page1.jpg", None), ("page1.png", None)},
        "read",
    )


def test_pages_that_a_file_no_longer_has_go(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.reads(*pdf(4, "1"))
    desk.brings()
    desk.reads(*pdf(2, "2"), text="shorter")
    desk.brings()
    assert desk.inputs == [("r.pdf", 0), ("r.pdf", 1)]
    assert not (desk.output / "r/r_page_2.json").exists()
    assert desk.old()["r/r_page_3.md.old"] == "read"
    assert "kept next to what is new" in capsys.readouterr().err
    standing = {name for name in files_below(desk.output) if ".old" not in name} - OWN
    assert standing == {
        f"r/r_page_{i}{ending}" for i in (0, 1) for ending in (".json", ".md", "_nohf.md")
    }


def test_a_page_whose_new_results_are_torn_is_what_it_was(desk: Desk) -> None:
    """Its file has changed, and still has such a page."""
    desk.reads(*pdf(2, "1"))
    desk.brings()
    desk.reads(*pdf(2, "2"), text="anew")
    (desk.result / "r/r_page_0.json").write_text("[{")
    desk.brings(failed=3)
    assert {(r["pdf_page"], r["sha256"]) for r in records_in(desk.output)} == {(0, "1"), (1, "2")}
    assert (desk.md("r/r_page_0"), desk.md("r/r_page_1")) == ("read", "anew")


def test_a_file_that_could_not_be_opened_and_now_can(desk: Desk) -> None:
    """It was one page then; and the other way round its pages stay, since nothing was read."""
    desk.reads(line("r/r", "r.pdf", "failed", sha256=""))
    desk.brings()
    desk.reads(*pdf(2, "1"))
    desk.brings()
    assert desk.inputs == [("r.pdf", 0), ("r.pdf", 1)]
    desk.reads(line("r/r", "r.pdf", "failed", sha256=""))
    desk.brings()
    assert desk.inputs == [("r.pdf", None), ("r.pdf", 0), ("r.pdf", 1)]
    assert desk.old() == {}


def test_a_file_whose_results_bear_another_name_now(desk: Desk) -> None:
    """a.png, beside which there is an a.jpg now: both keep their ending."""
    desk.reads(page("a.png"))
    desk.brings()
    desk.reads(line("a.png/a.png", "a.png", sha256="1"), line("a.jpg/a.jpg", "a.jpg", sha256="2"))
    desk.brings()
    assert not (desk.output / "a/a.md").exists()
    assert (desk.output / "a/a.md.old").is_file()


def test_a_page_that_was_not_reached_is_what_it_was(desk: Desk) -> None:
    """A new machine, that was interrupted: what was read elsewhere is as good as before."""
    desk.reads(page("a.png"), page("b.png"))
    desk.brings()
    desk.reads(page("a.png", status="left", sha256=""), page("c.png", status="left", sha256=""))
    desk.brings()
    statuses = {entry["input"]: entry["status"] for entry in records_in(desk.output)}
    assert statuses == {"a.png": "ok", "b.png": "ok", "c.png": "left"}


@pytest.mark.parametrize("text", ["", "[{", "\x00\x00\x00\x00", "null", "{}", "[" * 100_000])
def test_a_json_that_is_none_replaces_nothing(desk: Desk, text: str) -> None:
    """What a power cut leaves on the machine; its Markdown is empty then, too."""
    desk.reads(page("a.png", "1"), text="good")
    desk.brings()
    for again in (False, True):
        desk.reads(page("a.png", "2"), text="" if text == "" else "torn")
        (desk.result / "a/a.json").write_text(text)
        desk.brings(failed=3)
        assert (desk.md("a/a"), desk.old(), again) == ("good", {}, again)
        assert json.loads((desk.output / "a/a.json").read_text()) == [{"text": "good"}]
    assert [entry["sha256"] for entry in records_in(desk.output)] == ["1"]


def test_a_json_that_is_none_does_not_come_where_nothing_stands_either(desk: Desk) -> None:
    desk.reads(page("a.png"), page("b.png"))
    (desk.result / "a/a.json").write_text("")
    desk.brings(failed=3)
    assert desk.inputs == [("b.png", None)]
    assert not [name for name in files_below(desk.output) if name.startswith("a/")]


def test_an_empty_file_does_not_take_a_full_one_s_place(desk: Desk) -> None:
    """Of a page with headers alone it may be right; so nothing is lost either way."""
    desk.reads(page("a.png"), text="good")
    desk.brings()
    desk.reads(page("a.png"), text="new")
    (desk.result / "a/a.md").write_text("")
    desk.brings()
    assert (desk.md("a/a"), desk.old()) == ("", {"a/a.md.old": "good"})


def test_what_is_damaged_or_gone_at_home_comes_again(desk: Desk) -> None:
    desk.reads(page("a.png"))
    desk.brings()
    (desk.output / "a/a.json").write_text("")
    (desk.output / "a/a.md").unlink()
    desk.brings()
    assert json.loads((desk.output / "a/a.json").read_text()) == [{"text": "read"}]
    assert (desk.md("a/a"), desk.old()) == ("read", {})


def test_a_torn_json_at_home_is_kept_beside_and_comes_again(desk: Desk) -> None:
    desk.reads(page("a.png"))
    desk.brings()
    (desk.output / "a/a.json").write_text("[{")
    desk.brings()
    assert json.loads((desk.output / "a/a.json").read_text()) == [{"text": "read"}]
    assert desk.old() == {"a/a.json.old": "[{"}


def test_a_page_that_failed_meanwhile(desk: Desk) -> None:
    """What it was before is known all the same: ours, or of another content."""
    for content, kept in (("1", 0), ("2", 3)):
        desk.reads(page("a.png", "1"), text="good")
        desk.brings()
        desk.reads(page("a.png", content, status="failed"))
        desk.brings()
        desk.reads(page("a.png", content), text=f"read of {content}")
        desk.brings()
        assert (desk.md("a/a"), len(desk.old())) == (f"read of {content}", kept)


@pytest.mark.parametrize("brought", [7, None, [], {".md": 7}, {"of": []}, {".md": "0", "of": "2"}])
def test_a_line_whose_record_somebody_mangled(desk: Desk, brought: Any) -> None:
    desk.reads(page("a.png", brought=brought))
    desk.brings()
    desk.reads(page("a.png"), text="anew")
    desk.brings()
    assert (desk.md("a/a"), desk.old()) == ("anew", {})
    (entry,) = records_in(desk.output)
    assert set(entry["brought"]) == {"of", ".json", ".md", "_nohf.md"}


# ---- pictures ----


def pictured(*pictures: str, name: str = "a.png", **more: Any) -> dict[str, Any]:
    """A line of a page with these files of pictures."""
    return page(name, pictures=[*pictures], pictures_as="files", **more)


def pictures_of(desk: Desk, page: str = "a") -> dict[str, str]:
    """What stands in a page's folder of pictures."""
    folder = desk.output / page / "pictures"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


def test_pictures_come_with_their_page(desk: Desk) -> None:
    book = [
        line(f"r/r_page_{i}", "r.pdf", pdf_page=i, pictures=[f"page_{i}_1.png"]) for i in range(2)
    ]
    desk.reads(pictured("1.png", "2.jpg"), *book)
    assert desk.brings().new == 3 * 3 + 4
    assert pictures_of(desk).keys() == {"1.png", "2.jpg"}
    assert pictures_of(desk, "r").keys() == {"page_0_1.png", "page_1_1.png"}
    assert desk.brings().new == 0
    brought = [entry["brought"] for entry in records_in(desk.output)]
    assert [set(one) - {"of", ".json", ".md", "_nohf.md"} for one in brought] == [
        {"1.png", "2.jpg"},
        {"page_0_1.png"},
        {"page_1_1.png"},
    ]


@pytest.mark.parametrize("becomes", ["gone", "empty"])
def test_without_one_of_its_pictures_a_page_has_not_come(desk: Desk, becomes: str) -> None:
    desk.reads(pictured("1.png", "2.png"), page("b.png"))
    path = desk.result / "a/pictures/2.png"
    path.unlink()
    if becomes == "empty":
        path.touch()
    desk.brings(failed=1)
    assert desk.inputs == [("b.png", None)] and not (desk.output / "a/pictures/2.png").exists()


def test_a_picture_that_somebody_changed_is_kept(desk: Desk) -> None:
    """It stays while the same comes again; beside, when another comes, or none any more."""
    lines = [pictured("1.png", "2.png", "3.png")]
    desk.reads(*lines)
    desk.brings()
    for name in ("1.png", "2.png"):
        (desk.output / "a/pictures" / name).write_text("retouched")
    desk.reads(*lines)
    desk.brings()
    assert pictures_of(desk)["1.png"] == "retouched" and desk.old() == {}
    desk.reads(pictured("1.png"), text="again")
    desk.brings()
    assert pictures_of(desk) == {
        "1.png": "again: a picture",
        "1.png.old": "retouched",
        "2.png": "retouched",
        "3.png": "read: a picture",
    }, "a page of which something is kept keeps what its text may show"


@pytest.mark.parametrize(
    ("then", "stay"),
    [
        ([pictured("1.png")], {"1.png"}),
        ([pictured()], set()),
        ([page("a.png", pictures_as="inline")], set()),
        ([page("a.png", status="failed")], {"1.png", "2.png"}),
        ([page("a.png", status="left")], {"1.png", "2.png"}),
        ([page("a.png", status="failed"), pictured("2.png")], {"2.png"}),
    ],
    ids=["one", "none", "inline", "failed", "left", "failed-between"],
)
def test_pictures_of_an_earlier_reading_go(
    desk: Desk, then: list[dict[str, Any]], stay: set[str]
) -> None:
    desk.reads(pictured("1.png", "2.png"))
    desk.brings()
    for number, entry in enumerate(then):
        desk.reads(entry, text=f"reading {number}")
        desk.brings()
    assert pictures_of(desk).keys() == stay and desk.old() == {}


def test_a_retouched_picture_that_its_page_no_longer_has_is_kept(desk: Desk) -> None:
    desk.reads(pictured("1.png", "2.png"))
    desk.brings()
    (desk.output / "a/pictures/2.png").write_text("retouched")
    desk.reads(pictured("1.png"))
    desk.brings()
    assert desk.old() == {"a/pictures/2.png.old": "retouched"}
    assert pictures_of(desk).keys() == {"1.png", "2.png.old"}


def test_the_pictures_of_a_text_that_is_kept_stay(desk: Desk) -> None:
    """It shows them by their names."""
    desk.reads(pictured("1.png"))
    desk.brings()
    (desk.output / "a/a.md").write_text("corrected ![](pictures/1.png)")
    desk.reads(page("a.png", pictures_as="inline"), text="again")
    desk.brings()
    assert desk.old() == {"a/a.md.old": "corrected ![](pictures/1.png)"}
    assert pictures_of(desk) == {"1.png": "read: a picture"}


def test_pictures_of_pages_that_are_gone_are_kept_beside(desk: Desk) -> None:
    lines = pdf(3, "1")
    desk.reads(*[{**entry, "pictures": [f"page_{i}_1.png"]} for i, entry in enumerate(lines)])
    desk.brings()
    desk.reads(*pdf(1, "2"), text="another")
    desk.brings()
    assert {name for name in desk.old() if "pictures" in name} == {
        "r/pictures/page_1_1.png.old",
        "r/pictures/page_2_1.png.old",
    }


def test_no_name_of_a_picture_leads_out(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine/secret.png").write_text("not ours")
    odd = ["../../../secret.png", "/etc/1.png", "page_0_1.png", "1.png\n", 7, "1.PNG", "01.png"]
    desk.reads({**pictured(), "pictures": odd})
    assert desk.brings().new == 3
    assert files_below(desk.output) == ["a/a.json", "a/a.md", "a/a_nohf.md", "manifest.jsonl"]
