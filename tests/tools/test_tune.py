"""make tune: reads a sample in several ways, compares and shows them; changes no results."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from rig import pages
from rig.browser import Watched, until
from rig.command import Finished, wait_until
from rig.model_server import ModelServer, Reply, Request
from rig.toolkit import Toolkit, files_below

HOSTILE = "<img src=x onerror=alert(1)>"
LADDER, YOURS = "50000,100000", "200000"
READ, LONGEST_S = 4, 240.0
# words that all differ, so not a loop
WORDS = [sha256(bytes([n % 256, n // 256])).hexdigest()[:7] for n in range(300)]


def answer(request: Request) -> Reply:
    """A model that loses one word up to 150,000 pixels, and a third of them up to 90,000."""
    width, height = request.size
    kept = WORDS[: 300 if width * height > 150_000 else 299 if width * height > 90_000 else 200]
    cells = [
        {"bbox": [10, 10, width - 10, height // 2], "category": "Text", "text": " ".join(kept)},
        {"bbox": [10, height // 2, width - 10, height - 10], "category": "Text", "text": HOSTILE},
    ]
    return Reply(json.dumps(cells))


def tune(kit: Toolkit, *options: str, **environment: str) -> Finished:
    given = {"LADDER": LADDER, "SAMPLE": str(READ), **environment}
    return kit.run_here("tune", *options, **given)


def content(kit: Toolkit) -> dict[str, bytes]:
    """All that a run left, here and on the machine."""
    found = {}
    for folder in (kit.output, kit.machine / "input", kit.machine / "result"):
        for name in files_below(folder):
            if not name.startswith("tune"):
                found[f"{folder.name}/{name}"] = (folder / name).read_bytes()
    return found


@dataclass
class Tuned:
    """A run of make tune, and the files that were there before."""

    kit: Toolkit
    server: ModelServer
    before: dict[str, bytes]
    asked: int
    end: Finished

    @property
    def found(self) -> dict[str, Any]:
        """The JSON output."""
        data: dict[str, Any] = json.loads(self.end.out)
        return data


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tuned]:
    """Pages in folders, a PDF, and a name with markup; some pages are read already."""
    with ModelServer() as server:
        server.script = answer
        kit = Toolkit(tmp_path_factory.mktemp("desk"), ENDPOINT=server.url, MAX_PIXELS=YOURS)
        kit.write_pages(2)
        assert kit.run_here("all").code == 0
        before = content(kit)
        pages.article(72, 7).save(kit.input / f"{HOSTILE.replace('/', '')}.png")
        pages.pdf(kit.input / "책.pdf", 3)
        asked = len(server.requests)
        end = tune(kit, "--json")
        yield Tuned(kit, server, before, len(server.requests) - asked, end)


def test_fewer_pixels_are_judged_by_the_most(tuned: Tuned) -> None:
    assert (tuned.end.code, tuned.end.err) == (0, "")
    found = tuned.found
    assert (found["pages"], len(found["sample"])) == (6, READ)
    assert [row["max_pixels"] for row in found["rows"]] == [200_000, 100_000, 50_000]
    assert [row["text"] == 1 for row in found["rows"]] == [True, False, False]
    assert (found["choice"], found["config"]) == (100_000, ["MAX_PIXELS=100000"])
    assert found["seconds_by"] == "NVIDIA L4"
    assert found["rows"][2]["of_time"] < found["rows"][1]["of_time"] < 1
    assert tuned.asked == 4 * READ  # and once with the other UPSAMPLE_BELOW


def test_nothing_of_a_run_is_touched(tuned: Tuned) -> None:
    assert content(tuned.kit) == tuned.before
    assert files_below(tuned.kit.machine / "trial-input") == []
    assert not [n for n in files_below(tuned.kit.machine / "trial-result") if n[0] != "."]


def test_a_second_run_goes_on(tuned: Tuned) -> None:
    """Only what is missing here is requested: pages of a new way, or of one that was cut short."""
    asked = len(tuned.server.requests)
    end = tune(tuned.kit)
    assert (end.code, len(tuned.server.requests)) == (0, asked)
    assert "← enough" in end.out and "For config.env: MAX_PIXELS=100000" in end.out
    assert "50,000: " in end.out and "look at" in end.out
    manifest = tuned.kit.output / "tune_files" / "100000-0" / "manifest.jsonl"
    manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:-1]))
    assert tune(tuned.kit).code == 0
    assert 1 <= len(tuned.server.requests) - asked <= READ


@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "light"), ("ko-KR", "dark")])
def test_the_page(browser: Browser, tuned: Tuned, locale: str, scheme: str) -> None:
    watched = Watched.open(browser, locale=locale, color_scheme=scheme)
    page = watched.page
    page.goto((tuned.kit.output / "tune.html").as_uri())
    until(page, "document.documentElement.dataset.ready === 'true'")
    text = page.locator("#overview").inner_text()
    title = "How many pixels" if locale == "en-US" else "페이지에 픽셀이"
    assert title in text and "MAX_PIXELS=100000" in text
    assert page.locator("#ways tbody tr").count() == 3
    assert page.locator("tr.chosen").count() == 1
    chosen = next(row for row in tuned.found["rows"] if row["max_pixels"] == 100_000)
    assert page.locator("#differ li").count() == len(chosen["differ"]) > 0
    assert page.locator("#overview img").count() == 0 and "NaN" not in text
    page.locator("#ways tbody a").last.click()
    until(page, "document.querySelectorAll('.row b').length > 0")
    assert page.locator(".row").count() == READ
    page.locator(".row-link").first.click()
    until(page, "document.querySelectorAll('.sheet img').length === 2")
    page.close()
    assert watched.trouble == []


def test_what_a_server_does_not_take_is_left_out(tmp_path: Path) -> None:
    """The others are compared with the most pixels that the server accepts."""
    with ModelServer(max_model_len=5_000) as server:
        kit = Toolkit(tmp_path, ENDPOINT=server.url, MAX_PIXELS=YOURS)
        kit.write_pages(2)
        end = tune(kit, "--json", LADDER="100000,11000000")
        again = tune(kit, "--json", LADDER="100000,11000000")
    assert (end.code, again.code) == (0, 0), end.err
    assert "process" in end.err and "process" not in again.err, "it is not asked again"
    assert "11,000,000 is left out" in end.err and "--max-model-len" in end.err
    assert [row["max_pixels"] for row in json.loads(end.out)["rows"]] == [200_000, 100_000]


def test_a_server_that_refuses_all_is_asked_once(tmp_path: Path) -> None:
    """As make process would. A file that cannot be opened is named once, before any start."""
    with ModelServer() as server:
        server.content_format = "openai"
        kit = Toolkit(tmp_path, ENDPOINT=server.url, MAX_PIXELS=YOURS)
        kit.write_pages(1)
        (kit.input / "torn.pdf").write_bytes(b"%PDF-1.7\nnothing")
        end = tune(kit, LADDER="100000,300000,400000")
    assert end.code == 1 and "sees 2 pictures in a prompt with one" in end.err, end.err
    assert end.err.count("process ended with 1") == 1
    assert end.err.count("torn.pdf was left out: ") == 1


def test_the_truth_decides_where_it_is_known(tmp_path: Path) -> None:
    with ModelServer() as server:
        server.script = answer
        kit = Toolkit(tmp_path, ENDPOINT=server.url, MAX_PIXELS=YOURS)
        names = kit.write_pages(2)
        kit.knobs["TRUTH"] = str(tmp_path / "truth")
        for name in names:
            path = tmp_path / "truth" / f"{name.removesuffix('.png')}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(answer(Request(0, 0.0, size=(166, 234))).text or "")
        pages.tiny(5).save(kit.input / "nobody knows.png")
        found = json.loads(tune(kit, "--json", LADDER="20000").out)
    assert [row["errors"] for row in found["rows"]] == [0, 0]
    assert found["choice"] == 20_000


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"PAGES": "50"}, 1, "make tune SAMPLE=4"),
        ({"LADDER": "12"}, 2, "12 is not in the range"),
        ({"LADDER": "1000000,many"}, 2, "many"),
        ({"TRUTH": "/nowhere"}, 1, "is not a folder"),
        ({"BUDGET": "0.001", "TARGET": "gcp"}, 2, "nothing is rented"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_started(
    kit: Toolkit, server: ModelServer, given: dict[str, str], code: int, said: str
) -> None:
    kit.write_pages(2)
    end = tune(kit, **given)
    assert (end.code, said in end.err, server.requests) == (code, True, []), end.err
    assert not kit.machine.exists()


def test_ctrl_c_stops_the_machine_and_keeps_what_was_read(own: Toolkit) -> None:
    """One page has an answer; the others hang."""
    own.write_pages(2)
    own.knobs["SAMPLE"] = "2"
    with own.verb("tune", "--ladder", "100000", PREVIEW="hangs") as job:
        manifest = own.machine / "trial-result" / "manifest.jsonl"
        wait_until(lambda: manifest.is_file() and '"ok"' in manifest.read_text(), LONGEST_S)
        job.signal_group(signal.SIGINT)
        assert job.finish(LONGEST_S).code == 130
        job.wait_until_nobody_is_left()
    assert len(files_below(own.machine / "trial-input")) == 2, "the next run goes on"
