"""make start: the machine is on and has our code, and its model server is loading."""

import os
import signal
from pathlib import Path

from rig.command import wait_until
from rig.model_server import ModelServer
from rig.toolkit import ROOT, Toolkit, copy_project, files_below, foreign_server, free_port


def pid_of_server(kit: Toolkit) -> int:
    """The one process that the toolkit has left in the background."""
    (pid,) = kit.living()
    return pid


def test_makes_the_machine_and_brings_the_code(kit: Toolkit) -> None:
    end = kit.run_here("start")
    assert (end.code, end.out, end.err) == (0, "", "")
    code = kit.machine / "vm_side"
    assert {"process_all_images.py", "cpu_endpoint/__main__.py"} <= set(files_below(code))
    assert (code / "batch.py").read_bytes() == (ROOT / "vm_side" / "batch.py").read_bytes()
    assert (kit.machine / "input").is_dir()
    assert (kit.machine / "result").is_dir()


def test_brings_an_exact_copy_of_the_code(own: Toolkit) -> None:
    own.root = copy_project(own.folder)
    source, code = own.root / "vm_side", own.machine / "vm_side"
    (source / ".mypy_cache").mkdir()
    (source / ".mypy_cache" / "cache.json").touch()
    (source / "new.py").touch()
    assert own.run("start").code == 0
    assert "new.py" in files_below(code)
    assert ".mypy_cache/cache.json" not in files_below(code)
    (source / "new.py").unlink()
    (source / "batch.py").write_text("changed = True\n")
    assert own.run("start").code == 0
    assert "new.py" not in files_below(code)
    assert (code / "batch.py").read_text() == "changed = True\n"


def test_uses_a_server_that_answers(kit: Toolkit, server: ModelServer) -> None:
    assert kit.run_here("start").code == 0
    assert not kit.living()
    # also with this form of the URL
    assert kit.run_here("start", "--endpoint", f"{server.url}/v1/").code == 0
    assert not kit.living()


def test_starts_a_server_that_outlives_it(own: Toolkit) -> None:
    assert own.run("start").code == 0
    pid = pid_of_server(own)
    assert os.getsid(pid) == pid  # our terminal's Ctrl-C cannot reach it
    assert own.run("start").code == 0
    assert pid_of_server(own) == pid  # the second start finds it


def test_starts_again_after_the_server_was_killed(own: Toolkit) -> None:
    assert own.run("start").code == 0
    first = pid_of_server(own)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not own.living())
    assert own.run("start").code == 0
    assert pid_of_server(own) != first


def test_a_changed_endpoint_replaces_the_server(own: Toolkit) -> None:
    assert own.run("start").code == 0
    first = pid_of_server(own)
    assert own.run("start", "--endpoint", f"http://127.0.0.1:{free_port()}").code == 0
    assert pid_of_server(own) != first


def test_refuses_a_port_that_something_else_has(own: Toolkit) -> None:
    with foreign_server() as port:
        end = own.run("start", "--endpoint", f"http://127.0.0.1:{port}")
    assert end.code == 1
    assert f"port {port} is taken by a program that is not a model server" in end.err
    assert "→ make … ENDPOINT=" in end.err
    assert not own.living()


def test_starts_nothing_in_place_of_a_server_elsewhere(own: Toolkit) -> None:
    end = own.run("start", "--endpoint", f"http://127.0.0.2:{free_port()}")
    assert end.code == 1
    assert "no model server at http://127.0.0.2" in end.err
    assert not own.living()


def test_a_machine_that_cannot_be_made_is_an_error_in_words(kit: Toolkit, tmp_path: Path) -> None:
    kit.machine.touch()
    end = kit.run_here("start")
    assert end.code == 1
    assert str(tmp_path / "machine") in end.err
    assert "Traceback" not in end.err
