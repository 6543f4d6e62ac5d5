"""The prompts: one changed character makes another prompt than the model's training had."""

from __future__ import annotations

import hashlib

import pytest

from answer.ladder import OTHER_PROMPT
from contract import CATEGORIES
from prompts import PROMPTS

# The prompts of rednote-hilab/dots.ocr at 36d7248.
SHA256 = {
    "layout_all": "16ff71ac5d218f35e5b3db41240b6e70741498bc099db3fa922ce1ff972e3b2f",
    "layout_only": "d10f3720942d901f61cd1c313a6ba8305ec5e9674c56907ea92f82ad0d5f5fbf",
    "ocr": "8ee4c4b75c200c7f8877e3344318a5bb2280f3878d42007b2c717b3c46a11865",
}


@pytest.mark.parametrize("mode", SHA256)
def test_a_prompt_is_the_reference_to_the_letter(mode: str) -> None:
    assert hashlib.sha256(PROMPTS[mode].encode()).hexdigest() == SHA256[mode]


def test_every_prompt_is_tested_and_the_other_prompts_exist() -> None:
    assert PROMPTS.keys() == SHA256.keys()
    assert {*OTHER_PROMPT, *OTHER_PROMPT.values()} <= PROMPTS.keys()


def test_only_the_full_prompt_ends_in_a_line_break() -> None:
    assert [mode for mode, text in PROMPTS.items() if text.endswith("\n")] == ["layout_all"]


@pytest.mark.parametrize("mode", ["layout_all", "layout_only"])
def test_the_categories_of_a_prompt_are_those_that_answers_are_checked_for(mode: str) -> None:
    assert str(list(CATEGORIES)) in PROMPTS[mode]
