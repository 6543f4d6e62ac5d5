"""Builds a model folder for vLLM of dots.ocr's own size, without weights, that tells known answers.

    python tests/vllm/told_model.py FOLDER [tiny]

told_loader.py makes the weights as vLLM loads them. After <|assistant|> all answers are equally
likely; each is a well-formed layout in tokens that stand one behind the other in the vocabulary,
and occur nowhere else. Their lengths are spread as those of pages are. With "tiny" they are few and
short, and the layers are small.
"""

import itertools
import json
import math
import random
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist

from model_folder import (  # type: ignore[import-not-found]  # beside this script
    FULL,
    SPECIAL,
    TINY,
    base_tokenizer,
    letters_of,
    template,
    write_settings,
    write_tokenizer,
)

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "vm_side")]

from lib.plan.cards import SPREAD, TOKENS  # noqa: E402 - found by the line above
from prompts import PROMPTS  # noqa: E402 - so is this

VOCABULARY = 151_936
BASE = 1_400  # tokens for the prompts
CELL = 40  # tokens


def main() -> None:
    folder, is_tiny = Path(sys.argv[1]), sys.argv[2:] == ["tiny"]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = base_tokenizer(PROMPTS.values(), BASE)
    vocabulary = tokenizer["model"]["vocab"]
    room = VOCABULARY - len(vocabulary) - len(SPECIAL)
    lengths = [20, 80, 30, 120, 50, 60] if is_tiny else answer_lengths(room)
    words = new_words(vocabulary)
    answers = []
    for length in lengths:
        first = len(vocabulary)
        for piece in answer(length, words):
            vocabulary[letters_of(piece)] = len(vocabulary)
        answers.append((first, len(vocabulary) - 1))
    number = write_tokenizer(folder, tokenizer, SPECIAL)
    size = (len(vocabulary) + len(SPECIAL) + 63) // 64 * 64 if is_tiny else VOCABULARY
    write_settings(folder, TINY if is_tiny else FULL, number, size, template())
    told = {
        "start": number["<|assistant|>"],
        "end": number["<|endofassistant|>"],
        "answers": answers,
    }
    (folder / "told.json").write_text(json.dumps(told))


def answer_lengths(room: int) -> list[int]:
    """As many as have room together, evenly from the distribution of pages; mixed."""
    bell, median = NormalDist(0, SPREAD), TOKENS / math.exp(SPREAD**2 / 2)
    for count in range(2 * room // int(TOKENS), 0, -1):
        shares = [(at + 0.5) / count for at in range(count)]
        lengths = [round(median * math.exp(bell.inv_cdf(share))) for share in shares]
        if sum(lengths) <= room:
            random.Random(7).shuffle(lengths)
            return lengths
    raise ValueError(room)


def new_words(taken: dict[str, int]) -> Iterator[str]:
    """Words that are no token yet, each once."""
    letters = string.ascii_letters + string.digits
    every = ["".join(three) for three in itertools.product(letters, repeat=3)]
    random.Random(7).shuffle(every)
    return (word for word in every if letters_of(f" {word}") not in taken)


def answer(length: int, words: Iterator[str]) -> Iterator[str]:
    """The pieces of one answer, each with a word of its own; JSON when they are put together."""
    cells = max(1, length // CELL)
    ends = [length * (at + 1) // cells for at in range(cells)]
    begin = 0
    for number, end in enumerate(ends):
        top = 60 + 1_500 * number // cells
        box = f"[90, {top}, 1100, {top + max(20, 1_300 // cells)}]"
        before = ", " if begin else "["
        yield f'{before}{{"bbox": {box}, "category": "Text", "text": "{next(words)}'
        yield from (f" {next(words)}" for _ in range(end - begin - 2))
        yield f' {next(words)}"}}' + ("]" if end == length else "")
        begin = end


if __name__ == "__main__":
    main()
