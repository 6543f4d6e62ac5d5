"""make image needs a machine with docker, so not this one; see cloud/test_image.py."""

from rig.toolkit import Toolkit


def test_this_computer_has_no_image(kit: Toolkit) -> None:
    end = kit.run_here("image", "--model-revision", 40 * "a")
    assert (end.code, end.out) == (1, "")
    assert "TARGET=local has no image" in end.err
    assert "→ make image TARGET=gcp, or TARGET=ssh" in end.err
    assert not kit.machine.exists()


def test_its_help_names_what_it_reads(kit: Toolkit) -> None:
    end = kit.run_here("image", "--help")
    assert end.code == 0
    assert {
        "--model-id",
        "--model-revision",
        "--container-base",
        "--container-image",
        "--target",
    } <= set(end.out.split())
