"""The bench of a real card, without one: what it makes of a server's and nvidia-smi's output."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import l4
from bench.card import clients, page_set, session
from bench.card.__main__ import main
from bench.card.fit import Fit, fit_of, windows_of
from bench.card.looks import Cards, Look, cards_told, look, totals_of
from bench.card.serving import ROOT, Image, Installed, Place, slots_told
from bench.card.state import Mixed, State
from bench.card.table import Machine, Start, table
from bench.card.windows import is_seen, row_of, steady_at
from lib.plan.cards import CARDS, Card

METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{engine="0",model_name="model"} 60.0
vllm:num_requests_running{engine="1",model_name="model"} 3.0
vllm:num_requests_waiting{engine="0",model_name="model"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf"} 99.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="model"} 99.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="model"} 30.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="model"} 5.0
vllm:request_success_total{engine="0",finished_reason="abort",model_name="model"} 1000.0
vllm:generation_tokens_total{engine="0",model_name="model"} 1.5e+06
vllm:num_preemptions_total{engine="0",model_name="model"} 1.0
"""
CPU_S = {"api": 0.0, "engine": 0.0, "client": 0.0}
MACHINE = Machine("NVIDIA L4", "0.32.0", "1234567", "random weights", 64)
START = Start("2026-11-26", 128.4, {"imports": 75, "weights": 3}, 10)


def test_all_engines_together_and_what_was_aborted_is_no_page() -> None:
    seen = look(7.0, METRICS, CPU_S, Cards())
    assert (seen.running, seen.waiting, seen.begun, seen.ended) == (63, 2, 99, 35)
    assert (seen.tokens, seen.preemptions) == (1_500_000, 1)
    assert totals_of("") == {}


@pytest.mark.parametrize(
    ("said", "cards"),
    [
        ("NVIDIA L4, 97, 20000, 71.5\n", Cards("NVIDIA L4", 97, 20_000, 71.5)),
        ("NVIDIA L4, 90, 9, 70\nNVIDIA L4, 50, 9, 60\n", Cards("2 × NVIDIA L4", 70, 18, 130)),
        ("A, 90, 9, 70\nB, 50, 9, 60\n", Cards("2 × A + B", 70, 18, 130)),
        ("NVIDIA GH200, [N/A], 9, [Not Supported]\n", Cards("NVIDIA GH200", None, 9, None)),
        ("", Cards()),
    ],
)
def test_what_nvidia_smi_says(said: str, cards: Cards) -> None:
    assert cards_told(said) == cards


def looks_of(*running: float, waiting: float = 0.0) -> list[Look]:
    """One look a second. A page of 10 tokens ends in each, and all running pages have begun."""
    return [
        look_at(t, each, t + each, t, waiting=waiting, tokens=10 * t)
        for t, each in enumerate(running)
    ]


def look_at(
    t: float, running: float, begun: float, ended: float, waiting: float = 0, tokens: float = 0
) -> Look:
    cpu_s = {"api": t, "engine": 2 * t, "client": t / 4}
    return Look(t, running, waiting, begun, ended, tokens, 0, cpu_s)


@pytest.mark.parametrize(
    ("running", "at"),
    [
        ((), None),
        ((0, 0), None),
        ((0, 12, 12), 1),
        ((0, 20, 40, 57, 58, 64), 4),  # 90% of the largest batch
        ((0, 64, 30, 12), 1),
    ],
)
def test_when_a_batch_is_steady(running: tuple[int, ...], at: int | None) -> None:
    assert steady_at(looks_of(*running)) == at


# (t, running, begun, ended) of the best possible client on an H200 with 256 slots
ON_AN_H200 = [
    *[(0, 0, 0, 0), (6, 95, 33, 0), (12, 224, 81, 0), (18, 256, 123, 0), (24, 256, 171, 0)],
    *[(30, 256, 213, 0), (36, 256, 256, 0), (42, 256, 275, 19), (48, 255, 300, 45)],
    *[(54, 256, 330, 74), (60, 256, 358, 102), (66, 255, 390, 135), (72, 255, 421, 166)],
    (78, 255, 452, 197),
]


def test_a_batch_whose_pictures_are_being_read_is_not_steady() -> None:
    """An earlier version took it for steady: 5.6 pages/s begun and 3.2 ended, instead of 4.9."""
    looks = [look_at(t, *more) for t, *more in ON_AN_H200]
    assert steady_at(looks[:7]) is None
    row = row_of("ceiling", looks)
    assert row is not None
    assert row.steady_s == 36  # counted from the first page
    assert row.begun == pytest.approx(4.92, abs=0.01) and row.ended == pytest.approx(4.94, abs=0.01)


@pytest.mark.parametrize(
    ("running", "is_over"),
    [
        ((), False),
        ((0, 0, 0, 0), False),  # still starting
        ((0, 12, 12), False),
        ((0, 12, 12, 12), True),  # steady for two seconds
        ((0, 12, 12, 20), False),  # it was not steady yet
        ((0, 1, 2, 3, 4, 5, 6), False),  # it is never steady
    ],
)
def test_when_a_run_was_seen_enough(running: tuple[int, ...], is_over: bool) -> None:
    assert is_seen(looks_of(*running), window_s=2.0) is is_over


def test_a_row_is_of_the_steady_state_alone() -> None:
    row = row_of("ours", looks_of(0, 1, 6, 10, 10, 8, waiting=2))
    assert row is not None
    assert (row.window_s, row.steady_s) == (2.0, 3.0)
    assert (row.begun, row.ended, row.tokens, row.pages_per_s) == (0, 1, 10, 0.5)
    assert (row.running, row.waiting, row.most_waiting) == (10, 2, 2)
    assert (row.client_cpu_s, row.api_cores, row.engine_cores) == (0.5, 1, 2)
    assert row.gpu_percent is None
    assert row_of("ours", looks_of(0, 1, 6, 10)) is None  # a rate needs two looks


def simulated(slots: int, seconds: int, kind: l4.Kind = l4.L4) -> list[Look]:
    """The looks at a simulated card, one a second, while it is full of pages."""
    answers = itertools.cycle((400, 900, 1_500, 700, 2_600, 1_100))
    card = l4.Card(slots, kind)
    looks: list[Look] = []
    begun = ended = tokens = 0
    while len(looks) < seconds:
        while len(card.waiting) < slots:
            card.waiting.append(l4.Job(2_520, next(answers)))
        before = {id(job) for job in card.running}
        gone = card.step()
        begun += len({id(job) for job in (*card.running, *gone)} - before)
        ended, tokens = ended + len(gone), tokens + len(card.running) + len(gone)
        if card.now_s >= len(looks):
            state = (len(card.running), len(card.waiting), begun, ended, tokens, 0)
            looks.append(Look(card.now_s, *state, CPU_S))
    return looks


@pytest.mark.parametrize(
    ("kind", "card", "runs"),
    [
        (l4.L4, CARDS[0], {12: 200, 32: 200, 64: 400}),
        (l4.H200, CARDS[1], {12: 40, 64: 40, 256: 60}),
    ],
)
def test_the_fit_finds_what_a_simulated_card_is_made_of(
    kind: l4.Kind, card: Card, runs: dict[int, int]
) -> None:
    """So it also finds the values of the plan's table."""
    fit = fit_of(simulated(slots, seconds, kind) for slots, seconds in runs.items())
    assert fit is not None and fit.residual < 0.1
    assert fit.picture_s == pytest.approx(card.picture_s, rel=0.03)
    assert fit.step_s == pytest.approx(card.step_s, rel=0.03)
    assert fit.page_step_s == pytest.approx(card.page_step_s, rel=0.03)


def test_batches_of_one_size_tell_no_two_costs_apart() -> None:
    full = [looks[100:] for looks in (simulated(56, 400), simulated(64, 400))]
    assert fit_of(full) is None
    assert fit_of([simulated(12, 20), simulated(64, 20)]) is None  # too few windows
    assert fit_of([]) is None


def test_a_window_has_no_second_in_which_the_card_was_without_a_page() -> None:
    looks = looks_of(*[4] * 40)
    assert [window.seconds for window in windows_of(looks)] == [8, 8, 8, 8]  # one page a second
    # the seven seconds before it make no window
    looks[8] = dataclasses.replace(looks[8], running=0)
    assert [window.seconds for window in windows_of(looks)] == [8, 8, 8]


def test_the_table_says_what_was_measured_on_what() -> None:
    rows = [row_of(part, looks_of(0, 8, 8, 8)) for part in ("ceiling", "ours", "ours-12")]
    fit = Fit(0.127, 0.0027, 34e-6, 71, 0.085)
    text = table(MACHINE, [START], [row for row in rows if row], fit, usd_per_hour=3.6)
    assert text.startswith("**NVIDIA L4**, vLLM 0.32.0, 64 slots, random weights; commit 1234567")
    lines = text.splitlines()
    (ours,) = (line for line in lines if line.startswith("| ours, `-p 12`"))
    assert ours.startswith("| ours, `-p 12` | 1.00 · 1.00 | 100% | 10 | 8.0 |")
    assert len({line.count("|") for line in lines[2:7]}) == 1
    # the H200's values, as they were published by hand
    assert "127 ms a picture + (2.70 ms + 34 µs × batch) a step" in text
    assert "0.282 · 2.22 · 4.50 · 5.11 · 5.47 pages/s" in text
    assert lines[-1].endswith("| 1.00 | 1.00 | 1234567 | 2026-11-26 |")
    assert "128 s (imports 75, weights 3), the first answer 10 s later." in text
    assert "No fit" in table(MACHINE, [START, START], [], None, 0)


def test_a_folder_goes_on_and_mixes_nothing(tmp_path: Path) -> None:
    state = State(tmp_path / "new")
    assert state.machine() is None and state.looks() == {}
    state.keep_start(MACHINE, START)
    second = dataclasses.replace(START, ready_s=86)
    state.keep_start(MACHINE, second)
    assert (state.machine(), state.starts()) == (MACHINE, [START, second])
    with pytest.raises(Mixed, match="7654321"):
        state.keep_start(dataclasses.replace(MACHINE, commit="7654321"), START)
    state.check("NVIDIA L4", "1234567")
    for card, commit in (("NVIDIA L4", "7654321"), ("NVIDIA H100", "1234567")):
        with pytest.raises(Mixed, match=f"{card}.*{commit}"):
            state.check(card, commit)
    State(tmp_path / "another").check("NVIDIA H100", "7654321")
    looks = [dataclasses.replace(one, cards=Cards("L4", 50)) for one in looks_of(1, 2)]
    state.keep_looks("ours", looks)
    assert state.looks() == {"ours": looks}


def test_what_is_done_is_shown_and_no_server_started(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.keep_start(MACHINE, START)
    for part in (*clients.USUAL, "ours-256"):
        state.keep_looks(part, looks_of(0, 8, 8, 8))
    done = CliRunner().invoke(main, ["--folder", str(tmp_path), "--vllm", "/nowhere"])
    assert done.exit_code == 0
    runs = [line.split("|")[1].strip() for line in done.stdout.splitlines() if "· 1.00" in line]
    assert runs == [
        *("ceiling", "ours", "dots.ocr's own client"),
        *("ours, `-p 12`", "ours, `-p 64`", "ours, `-p 256`"),
    ]


@pytest.mark.parametrize("part", ["ours-x", "ours-", "12", "theirs"])
def test_a_part_that_is_none(tmp_path: Path, part: str) -> None:
    done = CliRunner().invoke(main, ["--folder", str(tmp_path), "--part", part])
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert f"no such part: {part}" in done.output


def test_a_card_on_which_somebody_works_is_not_measured() -> None:
    session.refuse_busy(Cards("NVIDIA L4", 0, 500))
    session.refuse_busy(Cards())
    with pytest.raises(RuntimeError, match=r"20,100 MiB of NVIDIA L4 are in use"):
        session.refuse_busy(Cards("NVIDIA L4", 0, 20_100))


def test_a_folder_is_made_once_and_whole(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        raise OSError("disk full")

    state = State(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        state.made("pages", fail)
    assert state.made("pages", Path.mkdir).is_dir()
    assert state.made("pages", fail).is_dir()


PLACES: dict[str, tuple[Place, list[str]]] = {
    "installed": (Installed(Path("/v/bin/vllm"), Path("/f")), ["env"]),
    "image": (Image("custom:1", Path("/f")), ["docker", "run", "--rm"]),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_command_where_vllm_is(place: str) -> None:
    there, begin = PLACES[place]
    command = there.command(["bash", "/serve.sh"], {"VLLM_FLAGS": "--port 1 --x"})
    assert command[: len(begin)] == begin
    assert "VLLM_FLAGS=--port 1 --x" in command
    if place == "image":
        assert command[command.index("--entrypoint") :] == [
            *("--entrypoint", "bash", "custom:1", "/serve.sh")
        ]
        assert f"{ROOT}:{ROOT}:ro" in command and "/f:/f" in command
    else:
        assert command[-2:] == ["bash", "/serve.sh"]
        assert any(word.startswith("PATH=/v/bin:") for word in command)


@pytest.mark.parametrize(
    ("log", "slots"),
    [
        ("non-default args: {'max_num_seqs': 64, 'max_num_batched_tokens': 16384}", 64),
        ("non-default args: {'data_parallel_size': 4, 'max_num_seqs': 256}", 1024),
    ],
)
def test_how_many_pages_all_engines_hold(log: str, slots: int) -> None:
    assert slots_told(f"INFO loading\nINFO {log}\nINFO more\n") == slots


def test_a_log_that_does_not_tell_the_slots() -> None:
    with pytest.raises(RuntimeError, match="max_num_seqs"):
        slots_told("INFO loading")


def test_what_each_part_runs(tmp_path: Path) -> None:
    load = dataclasses.replace(page_set.TINY, pages=2, names=5)
    pages = tmp_path / "pages"
    page_set.write_pages(pages, load)
    bench = clients.Bench(1, load, pages, tmp_path, tmp_path / "out", Path("/theirs"), told=True)
    ceiling, _ = clients.command_of("ceiling", bench, slots=64)
    assert ceiling[-1] == "68"
    ours, _ = clients.command_of("ours", bench, slots=64)
    assert "-p" not in ours and "--retries" in ours
    ours, _ = clients.command_of("ours-12", dataclasses.replace(bench, told=False), slots=64)
    assert ours[-2:] == ["-p", "12"] and "--retries" not in ours
    theirs, job = clients.command_of("reference", bench, slots=64)
    assert theirs[0] == "/theirs" and job.count(".png") == 5
    assert [path.stat().st_nlink for path in page_set.all_pages(pages)] == [3, 2, 3, 2, 3]
