"""TARGET=local: what it asks of the server, and how the CPU preview's packages are installed."""

import sys
import zipfile
from pathlib import Path

import pytest

from lib.console import Failure
from lib.knobs import ROOT, Knobs
from lib.machines import local, open_machine
from lib.machines.local import LocalMachine
from rig.model_server import ModelServer
from rig.toolkit import foreign_server, free_port, make_environment


def machine(folder: Path, endpoint: str = "http://127.0.0.1:9") -> LocalMachine:
    return LocalMachine(Knobs(machine_dir=str(folder / "machine"), endpoint=endpoint))


def test_target_local_opens_it(tmp_path: Path) -> None:
    assert isinstance(open_machine(Knobs(target="local", machine_dir=str(tmp_path))), LocalMachine)


def test_its_folder_is_taken_from_the_project_s() -> None:
    """From wherever the command is called, it is the same machine."""
    assert LocalMachine(Knobs()).folder == ROOT / ".local-machine"
    assert LocalMachine(Knobs(machine_dir="~/m")).folder == Path("~/m").expanduser().resolve()


def test_asks_the_server_for_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with ModelServer(model="rednote") as server:
        assert machine(tmp_path, server.url).served_model() == "rednote"
        server.die()
        assert machine(tmp_path, server.url).served_model() == ""


def test_what_is_no_model_server_serves_no_model(tmp_path: Path) -> None:
    with foreign_server() as port:
        assert machine(tmp_path, f"http://127.0.0.1:{port}").served_model() == ""
        assert local.is_open("127.0.0.1", port)
    assert not local.is_open("127.0.0.1", free_port())


def test_a_result_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert machine(tmp_path).read_result("summary.json") == ""


# ---- the CPU preview's packages ----


def wheel(folder: Path, version: str) -> Path:
    """A package that pip can install without a network."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", f"VERSION = {version!r}\n")
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python environment to install into, in the place of ours."""
    folder = tmp_path / "environment"
    monkeypatch.setattr(sys, "executable", make_environment(folder))
    monkeypatch.setattr(sys, "prefix", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


def test_packages_are_installed_once_for_each_state_of_the_file(
    tmp_path: Path, environment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{wheel(tmp_path, '1.0')}\n")
    local.install(requirements)
    (module,) = environment.rglob("tiny.py")
    assert "once" in capsys.readouterr().err
    module.unlink()
    local.install(requirements)
    assert not module.exists()  # it did not look again
    assert capsys.readouterr().err == ""
    requirements.write_text(f"{wheel(tmp_path, '2.0')}\n")
    local.install(requirements)
    assert "2.0" in module.read_text()


def test_packages_that_cannot_be_installed(tmp_path: Path, environment: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("no-such-package-at-all==1.0\n")
    for _ in range(2):  # it tries again
        with pytest.raises(Failure, match=r"(?s)pip could not install.*no-such-package-at-all"):
            local.install(requirements)
