"""make all: the whole job; after any failure or interruption, the machine is stopped."""

import errno
import importlib
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib import console, steps
from rig import pages, preview
from rig.command import Running, records_in, wait_until
from rig.model_server import ModelServer, Reply, Request
from rig.toolkit import ROOT, Marked, Toolkit, foreign_server, free_port, statuses_in

STEPS = ("start", "upload", "process", "download", "stop", "report")


def test_reads_the_pages_and_leaves_nothing_running(own: Toolkit) -> None:
    names = own.write_pages(3)
    with own.verb("all") as job:
        end = job.finish()
        job.wait_until_nobody_is_left()
    assert (end.code, end.out, end.err) == (0, "", "")  # no output, so cron sends no mail
    assert statuses_in(own.output) == dict.fromkeys(names, "ok")
    assert (own.output / "100dpi/page1/page1.md").is_file()
    assert not list(own.output.rglob("*.jpg"))


def test_uses_a_server_that_answers_and_never_stops_it(kit: Toolkit, server: ModelServer) -> None:
    kit.write_pages(2)
    assert kit.run_here("all", "--images").code == 0
    assert len(server.requests) == 2
    assert len(list(kit.output.rglob("*.jpg"))) == 2
    assert len(list(kit.output.rglob("pictures/1.png"))) == 2
    assert kit.run_here("all", "--pictures", "inline").code == 0
    assert len(server.requests) == 2 and not list(kit.output.rglob("pictures/*"))
    assert "](data:image/png" in (kit.output / "100dpi/page1/page1.md").read_text()
    assert kit.run_here("all", "--force").code == 0
    assert len(server.requests) == 4


def test_flags_reach_every_step(kit: Toolkit, tmp_path: Path) -> None:
    """Flags of `all` win over config.env, also in the commands that it runs."""
    page = kit.write_pages(2)[1]
    options = ("--input", str(kit.input / page), "--output", str(tmp_path / "elsewhere"))
    assert kit.run_here("all", *options).code == 0
    assert list(statuses_in(tmp_path / "elsewhere")) == [Path(page).name]
    assert not kit.output.exists()


def test_an_input_without_pages_is_nothing_to_do(kit: Toolkit) -> None:
    kit.write_pages(1)
    assert kit.run_here("all").code == 0
    (kit.input / "100dpi/page1.png").unlink()
    end = kit.run_here("all", "--output", str(kit.folder / "new"))
    assert end.code == 0
    assert "nothing to do" in end.err
    assert not (kit.folder / "new").exists()  # nor the results of earlier pages


def test_who_is_named_is_told_how_it_ended(kit: Toolkit, tmp_path: Path) -> None:
    """Told once, with the totals. A night without new pages sends nothing."""
    kit.write_pages(2)
    told = tmp_path / "told"
    kit.knobs["NOTIFY"] = f"tee -a {told}"
    for _ in range(2):
        # its stop has an option with that name
        end = kit.run_here("all", FORCE="of another program")
        assert (end.code, end.out, end.err) == (0, "", "")
    text, _, summary = told.read_text().partition("\n\n")
    assert text == "make all: done\n2 ok"
    assert json.loads(summary)["run"]["pages"] == 2
    for knob, value, said in (
        ("INPUT", str(tmp_path / "not mounted"), "make all failed: INPUT "),
        ("PAGES", "99", "make all: failed (1)"),
    ):
        told.unlink()
        assert kit.run("all", **{knob: value}).code == 1
        assert told.read_text().startswith(said)


def test_each_step_has_its_own_formats(kit: Toolkit) -> None:
    """EXPORT is only for make all, and FORMATS only for make export."""
    kit.write_pages(1)
    kit.knobs |= {"EXPORT": "jsonl", "FORMATS": "md", "BUDGET": "5"}
    assert kit.run_here("all").code == 0
    assert {path.suffix for path in (kit.output / "documents").rglob("*.*")} == {".jsonl"}


# ---- nothing is started before it is known that there is something to do ----


def forget_forms(manifest: Path) -> None:
    """Remove all words about pictures from its lines."""
    lines = [
        {name: value for name, value in record.items() if "pictures" not in name}
        for record in records_in(manifest.parent)
    ]
    manifest.write_text("".join(json.dumps(each) + "\n" for each in lines))


def test_a_night_without_new_pages_starts_nothing(own: Toolkit) -> None:
    own.write_pages(2)
    pages.pdf(own.input / "two.pdf", 2)
    assert own.run("all").code == 0
    before = files_of(own.machine)
    night = {"TARGET": "gcp", "PATH": "/nowhere", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": "/nowhere"}
    for more in ({}, night, {**night, "BUCKET": "gs://pages"}, crew(night)):
        end = own.run_here("all", **more)
        assert (end.code, end.out, end.err) == (0, "", "")
    assert files_of(own.machine) == before
    report, manifest = own.output / "report.html", own.output / "manifest.jsonl"
    forget_forms(manifest)  # as if an older version had read them
    for is_there in (False, True):
        make_doubtful(manifest) if is_there else report.unlink()
        assert own.run_here("all", **night).code == 0
        assert report.stat().st_mtime >= manifest.stat().st_mtime, "it shows what was found"
    # the documents are out of date
    end = own.run_here("all", EXPORT="md,jsonl", FORMATS="csv", **night)
    assert (end.code, end.out, end.err) == (0, "", "")
    made = own.output / "documents"
    assert sorted(path.name for path in made.glob("two.*")) == ["two.jsonl", "two.md"]
    (made / "two.md").unlink()
    (made / "two.md").mkdir()
    end = own.run_here("all", EXPORT="md", **night)
    assert (end.code, "export: two as md: " in end.err) == (3, True), end.err
    assert "make all: export ended with 3 (see above)" in end.err  # running it again does not help
    assert files_of(own.machine) == before


def crew(night: dict[str, str]) -> dict[str, str]:
    """The same with workers."""
    return {**night, "BUCKET": "gs://pages", "WORKERS": "4", "WORKER_IMAGE": "crew"}


def files_of(folder: Path) -> dict[str, int]:
    """All files of a folder, and the times of their last change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def make_doubtful(manifest: Path) -> None:
    """Make the first page doubtful."""
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"status": "ok"', '"status": "doubtful"', 1), encoding="utf-8")


def test_what_is_new_is_read_and_nothing_else(kit: Toolkit, server: ModelServer) -> None:
    """One change after another; each is a reason of its own."""

    def asked(**knobs: str) -> int:
        """How many pages the next run sends."""
        before = len(server.requests)
        end = kit.run_here("all", **knobs)
        assert end.code == 0, end.err
        return len(server.requests) - before

    kit.write_pages(2)
    pages.pdf(kit.input / "two.pdf", 2)
    assert asked() == 4
    pages.article(20, 98).save(kit.input / "new.png")
    assert asked() == 1
    pages.article(20, 99).save(kit.input / "100dpi/page1.png")  # changed
    assert asked() == 1
    pages.pdf(kit.input / "two.pdf", 3)
    assert asked() == 3
    lost = kit.output / "100dpi/page1/page1.md"
    lost.unlink()
    assert asked() == 0 and lost.is_file()
    for results in (kit.output, kit.machine / "result"):
        make_doubtful(results / "manifest.jsonl")
    assert asked(DOUBTFUL="1", WITNESS="ink") == 1
    assert asked(MAX_PIXELS="1000000") == 6

    before = len(server.requests)
    end = kit.run_here("all", MODEL="other")
    # it asks the server for this model, but there is none
    assert (end.code, len(server.requests)) == (2, before), end.err


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [
        ("INPUT", "nowhere", "does not exist"),
        ("OUTPUT", "in/below", "lies inside INPUT"),
        ("OUTPUT", "a file", "File exists"),
        ("OUTPUT", "/proc/out", "No such file"),
        ("BUCKET", "gs:/pages", "is not a bucket, such as gs://name"),
        ("WORKERS", "2", "WORKERS need"),
    ],
)
def test_what_is_wrong_at_home_is_told_before_anything_is_asked(
    own: Toolkit, knob: str, value: str, said: str
) -> None:
    """Not even the machine's folder or Google's client is made."""
    own.write_pages(1)
    (own.folder / "a file").touch()
    is_place = knob in ("INPUT", "OUTPUT")
    given = {knob: str(own.folder / value) if is_place else value}
    end = own.run_here("all", **given, TARGET="gcp", CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="/nowhere")
    assert (end.code in (1, 2), said in end.err) == (True, True), end.err
    assert "no Google credentials" not in end.err
    # the path of the project may contain that word
    assert "stop" not in end.err.replace(str(ROOT), "")


# ---- a step fails ----


@contextmanager
def port_is_taken(kit: Toolkit) -> Iterator[dict[str, str]]:
    """Let another kind of server answer at ENDPOINT."""
    with foreign_server(int(kit.knobs["ENDPOINT"].rpartition(":")[2])):
        yield {}


@contextmanager
def an_old_page_cannot_go(kit: Toolkit) -> Iterator[dict[str, str]]:
    """Nobody can remove these files, because they are the kernel's."""
    kit.machine.mkdir()
    (kit.machine / "input").symlink_to("/proc/sys/kernel/random")
    yield {"TAKE": "1"}


@contextmanager
def server_ends(kit: Toolkit) -> Iterator[dict[str, str]]:
    yield {"PREVIEW": "fails"}


@contextmanager
def a_result_cannot_come(kit: Toolkit) -> Iterator[dict[str, str]]:
    (kit.output / "100dpi" / "page1" / "page1.md").mkdir(parents=True)
    yield {}


@contextmanager
def server_is_lost(kit: Toolkit) -> Iterator[dict[str, str]]:
    yield {"PREVIEW": "forgets"}


@contextmanager
def report_is_a_folder(kit: Toolkit) -> Iterator[dict[str, str]]:
    (kit.output / "report.html").mkdir(parents=True)
    yield {}


FAULTS = (
    port_is_taken,
    an_old_page_cannot_go,
    server_ends,
    a_result_cannot_come,
    server_is_lost,
    report_is_a_folder,
)
Start = Callable[..., Marked]


@pytest.mark.parametrize(("step", "fault"), [*zip(STEPS, FAULTS, strict=True)], ids=STEPS)
def test_a_failing_step_is_named_and_nothing_is_left(
    own: Toolkit, step: str, fault: Callable[[Toolkit], AbstractContextManager[dict[str, str]]]
) -> None:
    own.write_pages(1)
    with fault(own) as environment, own.make("all", **environment) as job:
        end = job.finish()
        if step == "stop":  # only after this failure something may be left, and the message says so
            assert "server.json does not say which process it is" in end.err
            assert len(own.living()) == 1
        else:
            job.wait_until_nobody_is_left()
    assert end.code == 2
    assert "all] Error 1" in end.err  # the exit code of the script itself
    assert f"make all: {step} ended with 1" in end.err
    later = STEPS[STEPS.index(step) + 1 :]
    assert not any(f"{name} ended" in end.err for name in later if name != "download")


def test_stops_also_if_a_step_cannot_even_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example, no memory is left for another process: nobody expects this error."""
    whole = importlib.import_module("all")
    run: list[str] = []

    def no_memory(*arguments: object) -> int:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    def note(command: list[str], environment: dict[str, str]) -> int:
        run.append(Path(command[1]).name)
        return 0

    monkeypatch.setattr(steps, "run_child", no_memory)
    monkeypatch.setattr(steps, "run_apart", note)
    pages.write_folder(tmp_path / "in", 1, dpi=20)
    knobs = f"TARGET=local\nINPUT={tmp_path}/in\nOUTPUT={tmp_path}/out\n"
    (tmp_path / "its.env").write_text(knobs)
    result = CliRunner().invoke(whole.main, env={"CONFIG": str(tmp_path / "its.env")})
    assert "make all: start cannot be run: [Errno 12]" in result.stderr
    assert run == ["stop.py"]


def test_no_signal_ends_the_stop_after_a_fault_that_nobody_has_foreseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = importlib.import_module("all")
    handlers: list[object] = []

    def fault(*arguments: object) -> int:
        raise ZeroDivisionError

    def note(command: list[str], environment: dict[str, str]) -> int:
        handlers.extend(signal.getsignal(number) for number in console.STOP_SIGNALS)
        return 0

    monkeypatch.setattr(steps, "run_child", fault)
    monkeypatch.setattr(steps, "run_apart", note)
    before = [(number, signal.getsignal(number)) for number in console.STOP_SIGNALS]
    pages.write_folder(tmp_path / "in", 1, dpi=20)
    knobs = f"TARGET=local\nINPUT={tmp_path}/in\nOUTPUT={tmp_path}/out\n"
    (tmp_path / "its.env").write_text(knobs)
    result = CliRunner().invoke(whole.main, env={"CONFIG": str(tmp_path / "its.env")})
    for number, handler in before:
        signal.signal(number, handler)
    assert isinstance(result.exception, ZeroDivisionError)
    assert handlers == [console.disregard] * 3


@pytest.mark.parametrize(("stop", "is_deaf"), [(0, False), (1, True)])
def test_no_signal_comes_between_a_stop_that_failed_and_who_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int, is_deaf: bool
) -> None:
    whole = importlib.import_module("all")
    handlers: list[object] = []
    monkeypatch.setattr(steps, "run_child", lambda *_: 1)
    monkeypatch.setattr(steps, "run_apart", lambda *_: stop)

    def tell(*_: object) -> None:
        handlers.extend(signal.getsignal(number) for number in console.STOP_SIGNALS)

    monkeypatch.setattr(whole.notify, "tell", tell)
    before = [(number, signal.getsignal(number)) for number in console.STOP_SIGNALS]
    pages.write_folder(tmp_path / "in", 1, dpi=20)
    knobs = f"TARGET=local\nINPUT={tmp_path}/in\nOUTPUT={tmp_path}/out\n"
    (tmp_path / "its.env").write_text(knobs)
    CliRunner().invoke(whole.main, env={"CONFIG": str(tmp_path / "its.env")})
    for number, handler in before:
        signal.signal(number, handler)
    assert handlers == [console.disregard if is_deaf else console.interrupt] * 3


def test_failed_pages_do_not_keep_the_others_from_coming_home(own: Toolkit) -> None:
    own.write_pages(1)
    pages.text_as_png(own.input)
    with own.verb("all") as job:
        end = job.finish()
        job.wait_until_nobody_is_left()
    assert end.code == 3
    assert "process ended with 3 (some pages failed, or " in end.err
    assert statuses_in(own.output) == {"100dpi/page1.png": "ok", "text.png": "failed"}
    assert (own.output / "100dpi/page1/page1.json").is_file()


def test_a_page_that_cannot_be_sent_does_not_keep_the_others(kit: Toolkit) -> None:
    kit.write_pages(1)
    pages.dangling_link(kit.input)
    end = kit.run_here("all")
    assert end.code == 3
    assert "upload ended with 3" in end.err
    assert statuses_in(kit.output) == {"100dpi/page1.png": "ok"}


def test_a_server_that_dies_leaves_what_was_read(kit: Toolkit, server: ModelServer) -> None:
    kit.write_pages(3)
    kit.knobs |= {"READY_TIMEOUT": "0.5", "PROCESSES": "1"}

    def script(request: Request) -> Reply:
        return Reply(then=server.die if request.number == 1 else None)

    server.script = script
    with kit.verb("all") as job:
        end = job.finish()
        job.wait_until_nobody_is_left()
    assert end.code == 1
    assert "make all: process ended with 1" in end.err
    assert Counter(statuses_in(kit.output).values()) == {"ok": 2, "left": 1}


def test_a_second_run_on_this_computer(kit: Toolkit, server: ModelServer, tmp_path: Path) -> None:
    """It ends and names the reader. When the reader was killed, nothing holds the machine."""
    names = kit.write_pages(1)
    other = Toolkit(tmp_path / "other", ENDPOINT=server.url, MACHINE_DIR=str(kit.machine))
    pages.write_folder(other.input, 2, dpi=20)
    server.latency_s = 60
    with kit.verb("all") as first:
        wait_until(lambda: server.requests)
        for verb in ("all", "upload", "stop"):
            end = other.run_here(verb)
            assert (end.code, f"(process {first.pid}) since " in end.err) == (1, True), end.err
        assert "→ wait for its end; make stop FORCE=1" in end.err
        assert kit.uploaded == names
        first.end()
    server.latency_s = 0
    assert other.run_here("all").code == 0
    assert len(statuses_in(other.output)) == 2


# ---- a signal comes ----


def wait_until_it_reads(kit: Toolkit) -> None:
    """Wait until the first page is done; then the others hang."""

    def has_read() -> bool:
        with suppress(FileNotFoundError):
            return "ok" in kit.statuses.values()
        return False

    wait_until(has_read)


def check_what_is_left(kit: Toolkit, job: Running) -> None:
    """No process is left, the machine is off, and one page was read."""
    job.wait_until_nobody_is_left()
    assert not (kit.machine / "server.json").exists()
    assert Counter(kit.statuses.values()) == {"ok": 1, "left": 2}


@pytest.mark.parametrize(
    ("through", "number", "to_all"),
    [
        ("script", signal.SIGINT, True),  # as a terminal does
        ("script", signal.SIGTERM, False),
        ("script", signal.SIGHUP, False),
        ("make", signal.SIGINT, True),
        ("make", signal.SIGTERM, False),
        ("make", signal.SIGHUP, True),
    ],
)
def test_a_signal_ends_the_work_and_stops_the_machine(
    own: Toolkit, through: str, number: int, to_all: bool
) -> None:
    own.write_pages(3)
    start: Start = own.verb if through == "script" else own.make
    with start("all", PREVIEW="hangs") as job:
        wait_until_it_reads(own)
        if to_all:
            job.signal_group(number)
        else:
            os.kill(job.pid, number)
        end = job.finish()
        check_what_is_left(own, job)
    assert end.code in ((130,) if through == "script" else (2, -number)), end.err
    assert "Traceback" not in end.err


def test_a_second_signal_does_not_cut_the_stop_short(own: Toolkit) -> None:
    own.write_pages(3)
    with own.verb("all", PREVIEW="lingers") as job:
        wait_until_it_reads(own)
        os.kill(job.pid, signal.SIGTERM)
        wait_until((own.machine / preview.ENDING).exists)  # now the stop is at work
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            job.signal_group(number)
        (own.machine / preview.MAY_END).touch()
        assert job.finish().code == 130
        check_what_is_left(own, job)


def test_nor_does_a_first_one(own: Toolkit) -> None:
    """All is read and at home when Ctrl-C comes: the machine still goes off."""
    own.write_pages(1)
    with own.verb("all", PREVIEW="lingers") as job:
        wait_until((own.machine / preview.ENDING).exists)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            job.signal_group(number)
        (own.machine / preview.MAY_END).touch()
        assert job.finish().code == 0
        job.wait_until_nobody_is_left()
    assert not (own.machine / "server.json").exists()


def test_signals_that_come_together_are_as_one(own: Toolkit) -> None:
    """As at a shutdown, when make and the system both signal the script."""
    own.write_pages(3)
    with own.verb("all", PREVIEW="hangs") as job:
        wait_until_it_reads(own)
        os.kill(job.pid, signal.SIGSTOP)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(job.pid, number)
        os.kill(job.pid, signal.SIGCONT)
        end = job.finish()
        check_what_is_left(own, job)
    assert end.code == 130
    assert "Traceback" not in end.err


# ---- with the real CPU preview ----


@pytest.mark.skipif(
    not os.environ.get("CI") and not find_spec("rapid_layout"),
    reason="the CPU preview's packages are not installed: make test installs them",
)
def test_the_cpu_preview_reads_two_sample_pages(tmp_path: Path) -> None:
    """The samples are unchanged, and no witness doubts them."""
    endpoint = f"http://127.0.0.1:{free_port()}"
    kit = Toolkit(tmp_path, ENDPOINT=endpoint, READY_TIMEOUT="120", WITNESS="ink")
    for name in ("100dpi/article.png", "72dpi/letter.png"):
        (kit.input / Path(name).name).write_bytes((ROOT / "samples" / name).read_bytes())
    with kit.verb("all") as job:
        end = job.finish(240)
        job.wait_until_nobody_is_left()
    assert end.code == 0, end.err
    assert statuses_in(kit.output) == {"article.png": "ok", "letter.png": "ok"}
    assert [record["doubts"] for record in records_in(kit.output)] == [[], []]
    assert len((kit.output / "article/article.md").read_text(encoding="utf-8")) > 200
