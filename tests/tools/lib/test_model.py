"""The model's container: what its state means."""

import pytest

from lib.machines.model import end_of, has_ended


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ("created", False),
        ("running", False),
        ("restarting", False),
        ("exited", True),
        ("dead", True),
    ],
)
def test_whether_the_model_is_dead(state: str, ended: bool) -> None:
    assert has_ended({"state": state}) == ended
    assert not has_ended({})


def test_how_it_died() -> None:
    said = end_of({"exit_code": 1, "log": "CUDA out of memory"})
    assert "ended with 1" in said
    assert said.endswith("CUDA out of memory")
