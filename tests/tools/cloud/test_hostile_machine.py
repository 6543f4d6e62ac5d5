"""A machine that lies: whatever it sends, nothing is written outside OUTPUT."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import sys
import tarfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pytest

from lib.console import Failure
from lib.machines.gcp.bucket import Bucket
from lib.machines.ssh import bounded, transfer
from lib.machines.ssh.shell import Shell
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gcs import GcsServer
from rig.cloud.hostile_bucket import hostile_bucket
from rig.command import Finished
from rig.toolkit import Toolkit, files_below, line, statuses_in

CONTENT = b'[{"category": "Text"}]'
ENDINGS = (".json", ".md", "_nohf.md")
EVIL_NAMES = ("../evil", "a/../../evil", "{outside}/evil", "a\0b", "\ud800", "..", "")
FAKE_SSH = """#!{python}
import pathlib, sys
says = pathlib.Path({says!r})
script = sys.argv[-1]
sys.stdin.buffer.read() if "tar -c" not in script else None
for words, name in (("manifest.jsonl", "manifest"), ("find . -type f", "listing"),
                    ("sha256sum", "hashes"), ("tar -c", "tar")):
    if words in script and (says / name).exists():
        sys.stdout.buffer.write((says / name).read_bytes())
        break
"""


class HostileMachine(Toolkit):
    """A desk whose `ssh` is a program that answers as a hostile machine would."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "desk", TARGET="ssh", SSH_HOST="box", INPUT="")
        self.outside, self.says = folder / "outside", folder / "says"
        self.bin = folder / "bin"
        for path in (self.outside, self.says, self.bin, self.output):
            path.mkdir()
        (self.outside / "precious.json").write_text("mine")
        program = self.bin / "ssh"
        program.write_text(FAKE_SSH.format(python=sys.executable, says=str(self.says)))
        program.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment with the hostile ssh."""
        path = f"{self.bin}:{os.environ['PATH']}"
        return super().environment(PATH=path, HOME=str(self.folder), **more)

    def say_pages(
        self, *pages: str, size: int = len(CONTENT), pictures: Sequence[str] = ()
    ) -> None:
        """Offer pages of this content, in the manifest, the listing and the hashes.

        Each line names the pictures, as if they were beside its page.
        """
        lines = [json.dumps(line(page, pictures=[*pictures])) for page in pages]
        names = [os.fsencode(page + ending) for page in pages for ending in ENDINGS]
        folders = {Path(page).parent for page in pages}
        names += [os.fsencode(f"{top}/pictures/{name}") for top in folders for name in pictures]
        digest = hashlib.sha256(CONTENT).hexdigest().encode()
        (self.says / "manifest").write_text("".join(f"{text}\n" for text in lines))
        listing = b"".join(b"%d 1700000000.5 %s\0" % (size, name) for name in names)
        (self.says / "listing").write_bytes(listing)
        (self.says / "hashes").write_bytes(b"".join(b"%s  %s\0" % (digest, n) for n in names))

    def say_tar(self, *members: tarfile.TarInfo | tuple[str, bytes]) -> None:
        """Make its tar stream of these members; a tuple is a regular file."""
        with tarfile.open(self.says / "tar", "w") as archive:
            for member in members:
                if isinstance(member, tuple):
                    name, content = member
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
                else:
                    archive.addfile(member)

    def download(self) -> Finished:
        """Run make download; it must end in order and change nothing outside OUTPUT."""
        own = (self.output, self.config)
        outside = [p for p in self.folder.parent.rglob("*") if not p.is_relative_to(self.output)]
        before = sorted(path for path in outside if path not in own)
        done = self.run_here("download")
        outside = [p for p in self.folder.parent.rglob("*") if not p.is_relative_to(self.output)]
        assert sorted(path for path in outside if path not in own) == before
        assert (self.outside / "precious.json").read_text() == "mine"
        assert "Traceback" not in done.err
        assert not [name for name in files_below(self.output) if name.endswith(".part")]
        assert not [path for path in self.output.rglob("*") if not path.is_dir() | path.is_file()]
        return done


@pytest.fixture
def machine(tmp_path: Path) -> HostileMachine:
    """A hostile machine."""
    return HostileMachine(tmp_path)


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A tar member that is not a regular file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def page_files(page: str) -> list[tuple[str, bytes]]:
    """All files of a good page."""
    return [(page + ending, CONTENT) for ending in ENDINGS]


def results(machine: HostileMachine) -> list[str]:
    """The files that were received."""
    return [name for name in files_below(machine.output) if name != "manifest.jsonl"]


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_manifest_that_names_what_is_not_below_it(machine: HostileMachine, name: str) -> None:
    name = name.format(outside=machine.outside)
    (machine.says / "manifest").write_text(json.dumps(line(name, "page.png")) + "\n")
    done = machine.download()
    assert done.code == 1
    assert "outside of the results" in done.err
    assert files_below(machine.output) == []


def test_pictures_that_lead_out(machine: HostileMachine) -> None:
    names = ["1.png", "2.jpg", "3.png", "../../../evil.png", "/etc/4.png", "page_9_1.png", "a.png"]
    machine.say_pages("a/a", pictures=names)
    out = str(machine.outside / "precious.json")
    machine.say_tar(
        *page_files("a/a"),
        ("a/pictures/1.png", CONTENT),
        special("a/pictures/2.jpg", tarfile.SYMTYPE, out),
        special("a/pictures/3.png", tarfile.LNKTYPE, out),
        *((f"a/pictures/{name}", CONTENT) for name in names[3:]),
    )
    assert machine.download().code == 1 and statuses_in(machine.output) == {}
    assert results(machine) == ["a/a.json", "a/a.md", "a/a_nohf.md", "a/pictures/1.png"]
    machine.say_pages("a/a", pictures=["1.png", *names[3:]])
    assert machine.download().code == 0 and list(statuses_in(machine.output)) == ["a/a.png"]


def test_members_that_nobody_asked_for(machine: HostileMachine) -> None:
    machine.say_pages("good", "link", "through/page")
    out = str(machine.outside)
    machine.say_tar(
        ("../evil.json", CONTENT),
        (f"{out}/precious.json", b"evil"),
        ("other.json", CONTENT),
        special("link.json", tarfile.SYMTYPE, f"{out}/precious.json"),
        special("link.md", tarfile.LNKTYPE, f"{out}/precious.json"),
        special("link_nohf.md", tarfile.CHRTYPE),
        special("through", tarfile.SYMTYPE, out),
        ("through/page.json", CONTENT),
        special("through/page.md", tarfile.FIFOTYPE),
        special("through/page_nohf.md", tarfile.BLKTYPE),
        *page_files("good"),
    )
    done = machine.download()
    assert done.code == 1
    assert results(machine) == ["good.json", "good.md", "good_nohf.md", "through/page.json"]
    assert not (machine.output / "through").is_symlink()
    assert done.err.count("did not arrive") == 5
    manifest = (machine.output / "manifest.jsonl").read_text()
    assert '"good"' in manifest
    assert '"link"' not in manifest


def test_content_of_another_size_or_hash(machine: HostileMachine) -> None:
    machine.say_pages("page", "good")
    files = [
        ("page.json", b"x" * len(CONTENT)),
        ("page.md", bytes(50_000_000)),
        ("page_nohf.md", b""),
    ]
    machine.say_tar(*files, *page_files("good"))
    done = machine.download()
    assert done.code == 1
    assert done.err.count("changed while it was copied; run again") == 3
    assert results(machine) == ["good.json", "good.md", "good_nohf.md"]


def test_a_size_that_would_fill_the_disk_is_not_asked_for(machine: HostileMachine) -> None:
    machine.say_pages("page", size=10**13)
    sparse = tarfile.TarInfo("page.json")
    sparse.size = 10**13
    (machine.says / "tar").write_bytes(sparse.tobuf(tarfile.GNU_FORMAT) + bytes(10_000))
    done = machine.download()
    assert done.code == 1
    assert done.err.count("10000000000000 bytes: too large for a page's result") == 3
    assert results(machine) == []


GOOD = tarfile.TarInfo("page.json").tobuf()
STREAMS = {
    "noise": os.urandom(10_000),
    "nothing": b"",
    "text": b"Welcome to the machine!\n" * 500,
    "half a header": GOOD[:200],
    "a header alone": special("page.json", tarfile.REGTYPE).tobuf()[:512],
    "a bad checksum": GOOD[:148] + b"77777777" + GOOD[156:],
    "a bad extended header": special("x", tarfile.XHDTYPE).tobuf()[:512] + b"x" * 512,
    "a bad sparse map": special("page.json", tarfile.GNUTYPE_SPARSE).tobuf()[:386] + b"x" * 900,
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_is_no_archive(machine: HostileMachine, stream: bytes) -> None:
    machine.say_pages("page")
    (machine.says / "tar").write_bytes(stream)
    done = machine.download()
    assert done.code == 1
    assert results(machine) == []


@pytest.mark.parametrize("name", ["listing", "hashes"])
@pytest.mark.parametrize(
    "text", [b"\xff\0\0 1 2\0", b"inf nan page.json\0", b"1e9 -1 page.json\0", b"9" * 5000 + b"\0"]
)
def test_nonsense_about_files(machine: HostileMachine, name: str, text: bytes) -> None:
    machine.say_pages("page")
    machine.say_tar(*page_files("page"))
    (machine.says / name).write_bytes(text)
    assert machine.download().code == 1
    assert results(machine) == []


def test_a_manifest_that_is_none(machine: HostileMachine) -> None:
    for text in ("[" * 100_000, "null\n1\n[]\n{}\n", '{"page": 1}', "\0\xff", "9" * 10_000):
        (machine.says / "manifest").write_text(text, encoding="latin-1")
        done = machine.download()
        assert done.code == 1
        assert "no results of these pages" in done.err


def test_a_machine_that_talks_out_of_turn(machine: HostileMachine) -> None:
    program = machine.bin / "ssh"
    for words in ("Welcome!", "[1, 2]", "[" * 50_000):
        program.write_text(f"#!/bin/sh\necho '{words}'\n")
        done = machine.run_here("process")
        assert done.code == 1
        assert f"box printed what nobody asked for: '{words[:200]}" in done.err
        assert "Traceback" not in done.err


def test_a_log_that_would_play_with_the_terminal(machine: HostileMachine) -> None:
    log = "\x1b]0;owned\x07\x1b[2J\x9b31m한글\tCUDA out of memory"
    container = {"state": "exited", "exit_code": 1, "restarts": 1, "log": log}
    said = shlex.quote(json.dumps({"container": container}))
    (machine.bin / "ssh").write_text(f"#!/bin/sh\nprintf %s {said}\n")
    done = machine.run_here("process")
    assert done.code == 1
    assert "한글\tCUDA out of memory" in done.err
    assert not set("\x1b\x07\x9b") & set(done.err)


@pytest.mark.parametrize(
    "target", ["", "not there", "not there/..", "precious.json", "../desk/out/scans"]
)
def test_a_folder_of_output_that_leads_out(machine: HostileMachine, target: str) -> None:
    (machine.output / "scans").symlink_to(machine.outside / target)
    (machine.output / "inside").mkdir()
    (machine.output / "alias").symlink_to("inside")
    machine.say_pages("scans/page", "alias/page", "good")
    machine.say_tar(*page_files("scans/page"), *page_files("alias/page"), *page_files("good"))
    done = machine.run_here("download")
    assert done.code == 1
    assert done.err.count("a link in OUTPUT leads out of it") == 3
    assert "Traceback" not in done.err
    assert files_below(machine.outside) == ["precious.json"]
    assert (machine.output / "inside/page.json").read_bytes() == CONTENT
    assert (machine.output / "good.json").read_bytes() == CONTENT


def test_a_bucket_that_somebody_else_writes_to(machine: HostileMachine, tmp_path: Path) -> None:
    def put(name: str, content: bytes) -> None:
        url = f"{gcs.url}/upload/storage/v1/b/pages/o?uploadType=media&name={quote(name, '')}"
        with urllib.request.urlopen(urllib.request.Request(url, content)) as answer:
            assert answer.status == 200

    with skipped_where_unavailable(), GcsServer(tmp_path / "gcs") as gcs:
        gcs.make_bucket("pages")
        machine.knobs |= {"TARGET": "gcp", "BUCKET": "gs://pages"}
        google = {"STORAGE_EMULATOR_HOST": gcs.url, "NO_GCE_CHECK": "true"}
        for ending in ENDINGS:
            put(f"result/good{ending}", CONTENT)
            put(f"result/scans/page{ending}", CONTENT)
        (machine.output / "scans").symlink_to(machine.outside)
        for name, code in (("../evil", 1), (f"{machine.outside}/evil", 1), ("a*[b]", 1)):
            pages = [line(page, f"{page}.png") for page in ("good", "scans/page", name)]
            manifest = "".join(f"{json.dumps(page)}\n" for page in pages)
            put("result/manifest.jsonl", manifest.encode())
            done = machine.run_here("download", **google)
            assert done.code == code, done.err
            assert "Traceback" not in done.err
            assert files_below(machine.outside) == ["precious.json"]
        assert "scans/page.json: a link in OUTPUT leads out of it" in done.err
        assert results(machine) == ["good.json", "good.md", "good_nohf.md"]


# ---- what has no end ----

ENDLESS = "#!/bin/sh\nexec yes 'a line that says nothing' {to}\n"


@pytest.mark.parametrize("to", ["", ">&2"])
def test_an_answer_without_an_end(
    machine: HostileMachine, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.bin / "ssh").write_text(ENDLESS.format(to=to))
    monkeypatch.setattr(bounded, "LARGEST_ANSWER_BYTES", 1 << 20)
    monkeypatch.setenv("PATH", f"{machine.bin}:{os.environ['PATH']}")
    with pytest.raises(Failure, match=r"box says more than 1,048,576 bytes to cat .*; given up"):
        Shell(["ssh", "box"], "box").ask("cat result/manifest.jsonl")


HUGE = 8 << 30


def test_a_header_of_gigabytes(machine: HostileMachine) -> None:
    """tarfile would read a long name into memory, at any length that it claims."""
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME):
        machine.say_pages("page")
        header = special("x", kind)
        header.size = HUGE
        (machine.says / "tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT)[:512] + bytes(2048))
        done = machine.download()
        assert done.code == 1
        assert "the stream broke off: a header of 8,589,934,592 bytes" in done.err
        assert results(machine) == []


def test_more_than_was_asked_for(machine: HostileMachine) -> None:
    """Endless padding after the archive, or a member that nobody requested."""
    machine.say_pages("page")
    endless = "        while 'tar -c' in script: sys.stdout.buffer.write(bytes(1 << 16))\n"
    text = FAKE_SSH.replace("        break\n", f"{endless}        break\n")
    text = text.format(python=sys.executable, says=str(machine.says))
    (machine.bin / "ssh").write_text(text)
    machine.say_tar(*page_files("page"))
    done = machine.download()
    assert (done.code, "more data came than was asked for" in done.err) == (1, True), done.err
    assert results(machine) == ["page.json", "page.md", "page_nohf.md"]


def test_errors_without_an_end_beside_the_archive(
    machine: HostileMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "LARGEST_ERRORS_BYTES", 1 << 20)
    monkeypatch.setenv("PATH", f"{machine.bin}:{os.environ['PATH']}")
    (machine.bin / "ssh").write_text("#!/bin/sh\nexec yes 'tar: no' >&2\n")
    said = "box says more than 1,048,576 bytes of errors; given up"
    with pytest.raises(Failure, match=said), transfer.running(Shell(["ssh", "box"], "box"), "tar"):
        pass


def test_a_result_in_a_bucket_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.machines.gcp.bucket.LARGEST_BYTES", 3)
    monkeypatch.setattr("lib.machines.gcp.bucket.LARGEST_MANIFEST_BYTES", 3)
    with hostile_bucket({"result/a.json": b"four", "result/b.json": b"[]\n"}) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        bucket = Bucket("gs://pages")
        moved = bucket.fetch("result", ["a.json", "b.json"], tmp_path)
        assert moved.failed == {"a.json": "4 bytes: too large for a page's result"}
        assert files_below(tmp_path) == ["b.json"]
        assert bucket.read_text("result/b.json") == "[]\n"
        with pytest.raises(Failure, match=r"a\.json has 4 bytes; given up"):
            bucket.read_text("result/a.json")
