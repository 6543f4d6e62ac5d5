"""make download: the results of this input come home; older results stay until then."""

import json
from pathlib import Path
from typing import Any

import pytest

from rig.model_server import ModelServer
from rig.toolkit import Toolkit, files_below, line, statuses_in

ENDINGS = (".json", ".md", "_nohf.md", ".jpg")


def write_results(kit: Toolkit, *lines: dict[str, Any], content: str = "") -> None:
    """Write results on the machine, as process leaves them."""
    result = kit.machine / "result"
    result.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in lines)
    (result / "manifest.jsonl").write_text(text, encoding="utf-8")
    (result / "summary.json").write_text(json.dumps({"pages": len(lines)}))
    for entry in lines:
        if entry["status"] == "ok":
            for ending in ENDINGS:
                path = result / (entry["page"] + ending)
                path.parent.mkdir(parents=True, exist_ok=True)
                text = content or path.name
                path.write_text(json.dumps([text]) if ending == ".json" else text)


def write_inputs(kit: Toolkit, *names: str) -> None:
    """Write empty files of these names below INPUT; download only looks at names."""
    for name in names:
        (kit.input / name).parent.mkdir(parents=True, exist_ok=True)
        (kit.input / name).touch()


def pages_in(folder: Path) -> list[str]:
    """The result files in a folder, without the files of the whole batch."""
    own = ("manifest.jsonl", "summary.json")
    return [name for name in files_below(folder) if name not in own]


def test_brings_the_results_with_their_folders(kit: Toolkit) -> None:
    write_inputs(kit, "상자 1/스캔 1.png")
    write_results(kit, line("상자 1/스캔 1/스캔 1", "상자 1/스캔 1.png"))
    end = kit.run_here("download")
    assert (end.code, end.out, end.err) == (0, "", "")
    page = "상자 1/스캔 1/스캔 1"
    assert pages_in(kit.output) == [f"{page}.json", f"{page}.md", f"{page}_nohf.md"]
    assert statuses_in(kit.output) == {"상자 1/스캔 1.png": "ok"}
    assert json.loads((kit.output / "summary.json").read_text()) == {"pages": 1, "not_read": {}}


def test_pictures_come_only_if_asked_for(kit: Toolkit) -> None:
    write_inputs(kit, "a.png")
    write_results(kit, line("a/a", "a.png"))
    assert kit.run_here("download").code == 0
    assert not (kit.output / "a/a.jpg").exists()
    assert kit.run_here("download", IMAGES="1").code == 0
    assert (kit.output / "a/a.jpg").read_text() == "a.jpg"


def test_output_is_results_here_by_default(kit: Toolkit) -> None:
    del kit.knobs["OUTPUT"]
    write_inputs(kit, "a.png")
    write_results(kit, line("a/a", "a.png"))
    assert kit.run_here("download").code == 0
    assert (kit.folder / "results/a/a.md").is_file()


def test_brings_the_results_of_this_input_alone(kit: Toolkit) -> None:
    write_inputs(kit, "a.png", "b.pdf")
    pdf = [line(f"b/b_page_{i}", "b.pdf", pdf_page=i) for i in range(2)]
    write_results(kit, line("a/a", "a.png"), *pdf, line("old/old", "old.png"))
    assert kit.run_here("download").code == 0
    assert statuses_in(kit.output) == {"a.png": "ok", "b.pdf": "ok"}
    assert len(pages_in(kit.output)) == 9
    assert kit.run_here("download", "--input", str(kit.input / "a.png"), OUTPUT="one").code == 0
    assert statuses_in(kit.folder / "one") == {"a.png": "ok"}


def test_brings_all_results_without_an_input(kit: Toolkit) -> None:
    kit.knobs["INPUT"] = ""
    write_results(kit, line("a/a", "a.png"), line("b/b", "b.png"))
    assert kit.run_here("download").code == 0
    assert statuses_in(kit.output) == {"a.png": "ok", "b.png": "ok"}


def test_an_input_without_pages_has_no_results(kit: Toolkit) -> None:
    write_results(kit, line("a/a", "a.png"))
    assert kit.run_here("download").code == 0
    assert not pages_in(kit.output)


def test_the_second_time_brings_what_is_new(kit: Toolkit) -> None:
    write_inputs(kit, "a.png", "b.png")
    write_results(kit, line("a/a", "a.png"))
    assert kit.run_here("download").code == 0
    before = (kit.output / "a/a.md").stat().st_ino
    write_results(kit, line("a/a", "a.png"), line("b/b", "b.png"))
    assert kit.run_here("download").code == 0
    assert (kit.output / "a/a.md").stat().st_ino == before
    assert (kit.output / "b/b.md").is_file()


def test_results_of_another_input_stay(kit: Toolkit) -> None:
    write_inputs(kit, "a.png")
    write_results(kit, line("a/a", "a.png"))
    assert kit.run_here("download").code == 0
    (kit.input / "a.png").rename(kit.input / "b.png")
    write_results(kit, line("b/b", "b.png"))
    assert kit.run_here("download").code == 0
    assert statuses_in(kit.output) == {"a.png": "ok", "b.png": "ok"}
    assert (kit.output / "a/a.md").is_file()


def test_a_page_that_failed_this_time_keeps_its_older_result(kit: Toolkit) -> None:
    write_inputs(kit, "a.png")
    write_results(kit, line("a/a", "a.png"), content="good")
    assert kit.run_here("download").code == 0
    write_results(kit, line("a/a", "a.png", "failed"))
    assert kit.run_here("download").code == 0
    assert (kit.output / "a/a.md").read_text() == "good"
    assert statuses_in(kit.output) == {"a.png": "failed"}


def test_what_does_not_arrive_is_named_and_the_older_stays(kit: Toolkit) -> None:
    """The manifest does not list a page that arrived only in part."""
    write_inputs(kit, "a.png", "b.png")
    write_results(kit, line("a/a", "a.png", cells=1), line("b/b", "b.png"), content="good")
    assert kit.run_here("download").code == 0
    write_results(kit, line("a/a", "a.png", cells=2), line("b/b", "b.png"), content="new")
    (kit.machine / "result/a/a.md").unlink()
    end = kit.run_here("download")
    assert end.code == 1
    assert "download: a/a.md: No such file" in end.err
    assert (kit.output / "a/a.md").read_text() == "good"
    assert (kit.output / "b/b.md").read_text() == "new"
    manifest = (kit.output / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(text).get("cells") for text in manifest] == [None, 1]


def test_a_killed_process_left_no_summary_to_replace_ours(kit: Toolkit) -> None:
    write_inputs(kit, "a.png")
    write_results(kit, line("a/a", "a.png"))
    assert kit.run_here("download").code == 0
    (kit.machine / "result/summary.json").unlink()
    assert kit.run_here("download").code == 0
    assert json.loads((kit.output / "summary.json").read_text()) == {"pages": 1, "not_read": {}}


def test_a_torn_line_is_no_line(kit: Toolkit) -> None:
    """Also if the crash cut a letter in two."""
    kit.knobs["INPUT"] = ""
    write_results(kit, line("a/a", "a.png"))
    with (kit.machine / "result/manifest.jsonl").open("ab") as manifest:
        manifest.write(b'{"page": "\xed\x95')
    end = kit.run_here("download")
    assert end.code == 0, end.err
    assert statuses_in(kit.output) == {"a.png": "ok"}


def test_without_results_it_says_what_to_do(kit: Toolkit) -> None:
    write_inputs(kit, "a.png")
    for _ in range(2):
        end = kit.run_here("download")
        assert end.code == 1
        assert "no results of these pages\n  → make process" in end.err
        write_results(kit, line("other/other", "other.png"))
    assert not kit.output.exists()


def test_an_output_that_cannot_be_made_is_named(kit: Toolkit) -> None:
    write_inputs(kit, "a.png")
    write_results(kit, line("a/a", "a.png"))
    kit.output.touch()
    end = kit.run_here("download")
    assert end.code == 1
    assert f"OUTPUT {kit.output}: File exists" in end.err


@pytest.mark.parametrize("page", ["../evil", "/tmp/evil"])
def test_a_manifest_cannot_lead_out_of_output(kit: Toolkit, page: str) -> None:
    """Not even to a file that exists there on the machine."""
    kit.knobs["INPUT"] = ""
    write_results(kit, line("a/a", "a.png"))
    for ending in ENDINGS:
        (kit.machine / f"evil{ending}").touch()
    with (kit.machine / "result/manifest.jsonl").open("a") as manifest:
        manifest.write(json.dumps(line(page, "evil.png")) + "\n")
    end = kit.run_here("download")
    assert end.code == 1
    assert "outside of the results" in end.err
    assert not kit.output.exists()
    assert not list(kit.folder.glob("evil*"))


def test_links_among_the_results_lead_nowhere(kit: Toolkit) -> None:
    """A link on the machine never becomes a link at home, so nothing is written through one."""
    kit.knobs["INPUT"] = ""
    victim = kit.folder / "victim"
    victim.mkdir()
    write_results(kit, line("a/a", "a.png"))
    md = kit.machine / "result/a/a.md"
    md.unlink()
    md.symlink_to(victim / "a.md")
    (kit.machine / "result/b").symlink_to(victim)
    for _ in range(2):
        kit.run_here("download")
        with (kit.machine / "result/manifest.jsonl").open("a") as manifest:
            manifest.write(json.dumps(line("b/b", "b.png")) + "\n")
    assert files_below(victim) == []
    assert not [path for path in kit.output.rglob("*") if path.is_symlink()]


def test_after_a_real_run(kit: Toolkit, server: ModelServer) -> None:
    """The manifest's files are the files that process_all_images.py writes."""
    names = kit.write_pages(2)
    for verb in ("start", "upload", "process"):
        assert kit.run_here(verb, IMAGES="1").code == 0
    assert kit.run_here("download", IMAGES="1").code == 0
    assert statuses_in(kit.output) == dict.fromkeys(names, "ok")
    own = {".lock", ".metrics.prom", ".progress.json", ".turns"}
    everything = set(pages_in(kit.machine / "result")) - own
    assert set(pages_in(kit.output)) == everything
