"""TARGET=local: its requests to the server, and the installation of the preview's packages."""

import hashlib
import os
import socket
import sys
import zipfile
from pathlib import Path

import pytest

from lib.console import Failure
from lib.inputs import Inputs
from lib.knobs import ROOT, Knobs
from lib.machines import at_endpoint, local, open_machine
from lib.machines.local import LocalMachine
from rig.model_server import ModelServer, Reply, Request
from rig.raw_server import RawServer
from rig.secrets import KEY, command_lines, files_with, guarded_server
from rig.tls import certificate, tls_server
from rig.toolkit import Toolkit, foreign_server, free_port, make_environment


def machine(folder: Path, endpoint: str = "http://127.0.0.1:9") -> LocalMachine:
    return LocalMachine(Knobs(machine_dir=str(folder / "machine"), endpoint=endpoint))


def test_target_local_opens_it(tmp_path: Path) -> None:
    assert isinstance(open_machine(Knobs(target="local", machine_dir=str(tmp_path))), LocalMachine)


def test_its_folder_is_taken_from_the_project_s() -> None:
    """It is the same machine, wherever the command is called."""
    assert LocalMachine(Knobs()).folder == ROOT / ".local-machine"
    assert LocalMachine(Knobs(machine_dir="~/m")).folder == Path("~/m").expanduser().resolve()


def test_asks_the_server_for_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with ModelServer(model="rednote") as server:
        assert machine(tmp_path, server.url).served_model() == "rednote"
        server.die()
        assert machine(tmp_path, server.url).served_model() == ""


def test_a_server_of_several_models_or_of_none(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = [{"id": "rednote"}, {"id": "another"}]
    monkeypatch.setattr(server, "models", lambda: {"data": served})
    assert at_endpoint.served_model(server.url, "") == ("rednote, another", "")
    served.clear()
    assert at_endpoint.served_model(server.url, "") == ("", "it serves no model")


def test_a_list_of_models_nested_too_deep_is_none() -> None:
    def talk(connection: socket.socket) -> None:
        server.receive(connection, b"\r\n\r\n")
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000)

    with RawServer(talk) as server:
        assert at_endpoint.served_model(server.url, "") == ("", "RecursionError")


def test_what_is_no_model_server_serves_no_model(tmp_path: Path) -> None:
    with foreign_server() as port:
        assert machine(tmp_path, f"http://127.0.0.1:{port}").served_model() == ""
        assert at_endpoint.is_open("127.0.0.1", port)
    assert not at_endpoint.is_open("127.0.0.1", free_port())


def test_a_result_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert machine(tmp_path).read_result("summary.json") == ""


def test_a_pipe_and_a_device_are_told_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").touch()
    os.mkfifo(tmp_path / "in" / "x.png")
    (tmp_path / "in" / "zero.png").symlink_to("/dev/zero")
    inputs = Inputs(tmp_path / "in", ("a.png", "x.png", "zero.png"))
    moved = machine(tmp_path).push(inputs)
    assert moved.new == 1 and moved.failed.keys() == {"x.png", "zero.png"}


# ---- the CPU preview's packages ----


def wheel(folder: Path, version: str) -> Path:
    """Make a package that pip can install without a network."""
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
    """A Python environment to install into, instead of ours."""
    folder = tmp_path / "environment"
    monkeypatch.setattr(sys, "executable", make_environment(folder))
    monkeypatch.setattr(sys, "prefix", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


def pin(path: Path, content: bytes = b"") -> str:
    """A line of requirements: this file, with its hash or the hash of other content."""
    digest = hashlib.sha256(content or path.read_bytes()).hexdigest()
    return f"{path.as_uri()} --hash=sha256:{digest}\n"


def test_a_package_that_is_not_the_one_we_know_is_not_installed(
    tmp_path: Path, environment: Path
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(pin(wheel(tmp_path, "1.0"), b"another"))
    with pytest.raises(Failure, match=r"(?s)could not install.*HASH"):
        local.install(requirements)
    assert not list(environment.rglob("tiny.py"))


def test_packages_are_installed_once_for_each_state_of_the_file(
    tmp_path: Path, environment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(pin(wheel(tmp_path, "1.0")))
    local.install(requirements)
    (module,) = environment.rglob("tiny.py")
    assert "once" in capsys.readouterr().err
    module.unlink()
    local.install(requirements)
    assert not module.exists()  # the module was not installed again
    assert capsys.readouterr().err == ""
    requirements.write_text(pin(wheel(tmp_path, "2.0")))
    local.install(requirements)
    assert "2.0" in module.read_text()


def test_packages_that_cannot_be_installed(tmp_path: Path, environment: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("no-such-package-at-all==1.0\n")
    for _ in range(2):  # the second call tries again
        with pytest.raises(Failure, match=r"(?s)pip could not install.*no-such-package-at-all"):
            local.install(requirements)


# ---- a server of the user's own that lets not everybody in ----


def test_the_key_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ModelServer(api_key=KEY) as server:
        ours = machine(tmp_path, server.url)
        for key in ("", "another"):
            monkeypatch.setenv("API_KEY", key)
            with pytest.raises(Failure, match="needs its key") as error:
                ours.served_model()
            assert "API_KEY" in error.value.message
            assert "needs its key" in ours.status()["model server"]
        monkeypatch.setenv("API_KEY", KEY)
        assert ours.served_model() == "model"


def test_https_is_trusted_as_the_client_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = certificate(tmp_path)
    with tls_server(paths) as place:
        ours = machine(tmp_path, f"https://{place}")
        with pytest.raises(Failure, match="self-signed certificate") as error:
            ours.served_model()
        assert "SSL_CERT_FILE" in error.value.message
        monkeypatch.setenv("SSL_CERT_FILE", str(paths.certificate))
        assert ours.served_model() == "model"


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [("http://no-such-host.invalid:8000", "not known"), ("http://127.0.0.2:9", "refused")],
)
def test_why_nothing_answers_is_told(tmp_path: Path, endpoint: str, words: str) -> None:
    with pytest.raises(Failure, match=f"no model server at {endpoint} .*{words}"):
        machine(tmp_path, endpoint).start()


def test_the_whole_way_with_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with guarded_server(monkeypatch) as (server, _):
        kit = Toolkit(tmp_path, ENDPOINT=server.url)
        kit.write_pages(2)
        seen: list[str] = []

        def look(request: Request) -> Reply:
            seen.append(command_lines())
            return Reply()

        server.script = look
        end = kit.run("all", API_KEY=KEY)
        assert (end.code, end.err) == (0, "")
        assert set(kit.statuses.values()) == {"ok"}
        assert "process_all_images.py" in seen[0] and KEY not in "".join(seen)
        assert not files_with(KEY, tmp_path)
        (tmp_path / "key").write_text(KEY)
        end = kit.run("process", "--force", API_KEY_FILE=str(tmp_path / "key"))
        assert (end.code, end.err) == (0, "")
