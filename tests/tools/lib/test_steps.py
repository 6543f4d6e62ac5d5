"""The steps of a run: which steps follow a failed one, and the exit code of all."""

import pytest

from lib.console import ExitCode
from lib.steps import exit_code, goes_on, worst

OK, FAILED, USAGE = ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE
PAGES, INTERRUPTED = ExitCode.PAGES_FAILED, ExitCode.INTERRUPTED


@pytest.mark.parametrize("step", ["start", "upload", "process", "download"])
@pytest.mark.parametrize(
    ("code", "after", "after_process"),
    [
        (OK, True, True),
        (PAGES, True, True),
        (FAILED, False, True),  # what was read so far is brought home
        (USAGE, False, True),
        (-9, False, True),
        (INTERRUPTED, False, False),
    ],
)
def test_which_step_is_followed(step: str, code: int, after: bool, after_process: bool) -> None:
    assert goes_on(step, code) == (after_process if step == "process" else after)


@pytest.mark.parametrize(
    ("codes", "whole"),
    [
        ([], OK),
        ([OK, OK], OK),
        ([OK, PAGES, OK], PAGES),
        ([PAGES, USAGE, FAILED], USAGE),  # the first that is worse than a failed page
        ([OK, FAILED, USAGE], FAILED),
        ([PAGES, INTERRUPTED], INTERRUPTED),
        ([PAGES, -9], -9),
    ],
)
def test_the_code_of_all_steps(codes: list[int], whole: int) -> None:
    named = {str(number): code for number, code in enumerate(codes)}
    assert worst(named) == whole
    assert exit_code({**named, "stop": OK}) == whole
    assert exit_code({**named, "stop": USAGE}) == FAILED  # the machine may still bill
