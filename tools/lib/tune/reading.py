"""Read the sample in one way after the other, with the verbs of make all, in separate folders."""

from collections.abc import Sequence
from pathlib import Path

from contract import ExitCode
from lib.inputs import Inputs
from lib.knobs import Knobs, as_environment
from lib.steps import Steps, goes_on
from lib.todo import Work, look
from lib.tune.judging import read
from lib.tune.variants import Variant, folder_of, knobs_for, may_be_refused


def missing(inputs: Inputs, variants: Sequence[Variant], knobs: Knobs) -> list[Variant]:
    """The ways in which the sample must still be read, or with results to be downloaded."""
    return [v for v in variants if look(inputs, knobs_for(knobs, v)).work is not Work.NOTHING]


def refusal(knobs: Knobs, variant: Variant) -> Path:
    """The file that says that the server refused so many pixels, so that it is not asked again."""
    return folder_of(knobs) / variant.name / "refused"


def read_sample(steps: Steps, inputs: Inputs, variants: Sequence[Variant], knobs: Knobs) -> None:
    """Read it in each of these ways, and download the results. Then empty the machine's folders."""
    has_bucket = knobs.target == "gcp" and bool(knobs.bucket)
    for step in ("upload", "start") if has_bucket else ("start", "upload"):
        if not goes_on(step, steps.run(step, **changes(knobs, variants[0]))):
            return
    refused: list[Variant] = []
    is_well = False
    for variant in in_turn(variants, knobs):
        code = read_one(steps, inputs, variant, knobs)
        if code == ExitCode.FAILED and may_be_refused(variant, knobs):
            refused.append(variant)
        elif code not in (ExitCode.OK, ExitCode.PAGES_FAILED) or is_poor(inputs, variant, knobs):
            return
        else:
            is_well = True
        while is_well and refused:  # another way went well, so the reason was the pixels
            file = refusal(knobs, refused.pop())
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    steps.run("clean", **changes(knobs, variants[0]))


def in_turn(variants: Sequence[Variant], knobs: Knobs) -> list[Variant]:
    """Put a way first that every server can take if it serves the user's knobs at all.

    If that way fails, no other one is tried.
    """
    sure = [variant for variant in variants if not may_be_refused(variant, knobs)][:1]
    return [*sure, *(variant for variant in variants if variant not in sure)]


def read_one(steps: Steps, inputs: Inputs, variant: Variant, knobs: Knobs) -> int:
    """Read in one way. Try twice: a job may have been running already, and was followed instead."""
    own = changes(knobs, variant)
    for _ in range(2):
        code = steps.run("process", **own)
        if code not in (ExitCode.OK, ExitCode.PAGES_FAILED):
            break
        steps.run("download", **own)
        if code != ExitCode.OK or not missing(inputs, [variant], knobs):
            break
    return code


def changes(knobs: Knobs, variant: Variant) -> dict[str, str]:
    """The knobs that differ from the user's, for the verbs that read in this way."""
    theirs = as_environment(knobs)
    own = as_environment(knobs_for(knobs, variant))
    return {name: value for name, value in own.items() if value != theirs[name]}


def is_poor(inputs: Inputs, variant: Variant, knobs: Knobs) -> bool:
    """Whether pages were not read because BUDGET does not pay for them."""
    return bool(knobs.budget) and read(knobs, variant, inputs.files).tried < len(inputs.files)
