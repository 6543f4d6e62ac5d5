"""make clean: the machine's input and results are removed; the user's are not."""

from rig.model_server import ModelServer
from rig.toolkit import Toolkit, files_below


def test_empties_the_machine_and_nothing_else(kit: Toolkit, server: ModelServer) -> None:
    names = kit.write_pages(2)
    assert kit.run_here("all").code == 0
    (kit.machine / "input" / "link").symlink_to(kit.output)  # its target stays
    results = files_below(kit.output)
    end = kit.run_here("clean")
    assert (end.code, end.out, end.err) == (0, "", "")
    assert files_below(kit.machine / "input") == []
    assert files_below(kit.machine / "result") == []
    assert files_below(kit.input) == sorted(names)
    assert files_below(kit.output) == results


def test_twice_and_of_a_machine_that_never_was_is_harmless(kit: Toolkit) -> None:
    assert kit.run_here("clean").code == 0
    assert not kit.machine.exists()
    assert kit.run_here("start").code == 0
    assert kit.run_here("clean").code == 0
    assert kit.run_here("clean").code == 0
