"""How long an answer may be: by the context, and by the messages of servers that refuse."""

from __future__ import annotations

import pytest

from picture.images import MAX_PIXELS
from server.room import (
    ANSWER_ROOM,
    LEAST_ANSWER,
    LONGEST_ANSWER,
    answer_room,
    more_pixels,
    room_told,
    smaller,
)

QUESTION = 3000  # our estimate for the picture and the prompt


@pytest.mark.parametrize(
    ("context", "question", "room"),
    [
        (0, QUESTION, LONGEST_ANSWER),  # the server does not say
        (131_072, QUESTION, LONGEST_ANSWER),
        (16_384, 2752, 13_632),
        (7248, 2552 + 600, 4096),
        (3000, QUESTION, LEAST_ANSWER),  # the question may take less than our estimate
    ],
)
def test_the_room_that_a_context_leaves(context: int, question: int, room: int) -> None:
    assert answer_room(context, question) == room


@pytest.mark.parametrize(
    ("max_pixels", "context", "pixels"),
    [
        (2_000_000, 0, 4_000_000),  # the server does not say
        (2_000_000, 131_072, 4_000_000),
        (8_000_000, 131_072, MAX_PIXELS),
        (10_000_000, 131_072, 0),  # only a little more
        (MAX_PIXELS, 131_072, 0),
        (9_031_680, 131_072, MAX_PIXELS),  # a quarter more
        (2_000_000, 600 + ANSWER_ROOM + 3500, 3500 * 784),
        (2_000_000, 7248, 0),  # the minimum in the README
        (2_000_000, 1000, 0),
    ],
)
def test_a_second_look_is_as_close_as_model_and_context_allow(
    max_pixels: int, context: int, pixels: int
) -> None:
    assert more_pixels(max_pixels, context, 600) == pixels


TOLD = [
    (  # vLLM 0.11
        "'max_tokens' or 'max_completion_tokens' is too large: 16384. This model's maximum context"
        " length is 16384 tokens and your request has 254 input tokens (16384 > 16384 - 254). None",
        16_384,
        13_384,
    ),
    (  # vLLM 0.26
        "This model's maximum context length is 8192 tokens. However, you requested 8181 output"
        " tokens and your prompt contains at least 12 input tokens, for a total of at least 8193"
        " tokens. Please reduce the length. (parameter=input_tokens, value=12)",
        8181,
        5192,
    ),
    (
        "This model's maximum context length is 8192 tokens. However, you requested 8192 output"
        " tokens and your prompt contains 71 characters (more than 0 characters, which is the upper"
        " bound for 0 input tokens).",
        8192,
        5192,
    ),
    (
        "max_completion_tokens=9000 cannot be greater than max_model_len=max_total_tokens=8192."
        " Please request fewer output tokens.",
        9000,
        5192,
    ),
    (  # vLLM 0.9.1, and OpenAI
        "This model's maximum context length is 8192 tokens. However, you requested 8193 tokens (12"
        " in the messages, 8181 in the completion). Please reduce the length.",
        8181,
        5192,
    ),
    (  # the question takes more than our estimate
        "This model's maximum context length is 8,192 tokens. However, you requested 12,381 tokens"
        " (4,200 in the messages, 8,181 in the completion).",
        8181,
        3992,
    ),
    (  # or less: by our estimate there would be no room
        "This model's maximum context length is 2800 tokens. However, you requested 8681 tokens"
        " (2500 in the messages, 6181 in the completion).",
        6181,
        300,
    ),
    (  # SGLang
        "Requested token count exceeds the model's maximum context length of 16384 tokens. You"
        " requested a total of 19131 tokens: 2747 tokens from the input messages and 16384 tokens"
        " for the completion.",
        16_384,
        13_384,
    ),
    (  # TGI
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 16384. Given: 2800"
        " `inputs` tokens and 16384 `max_new_tokens`",
        16_384,
        13_384,
    ),
    (
        "input length and `max_tokens` exceed context limit: 3747 + 16384 > 16384, decrease them",
        16_384,
        12_637,
    ),
    (  # TensorRT-LLM
        "The sum of prompt length (2747.0), query length (0) and max_tokens (16384) should not"
        " exceed max_num_tokens (16384)",
        16_384,
        13_384,
    ),
    ("the request exceeds the available context size (8192 tokens)", 16_384, 5192),  # llama.cpp
    (
        "max_tokens is too large: 9000. This model supports at most 4096 completion tokens,"
        " whereas you provided 9000.",
        9000,
        4096,
    ),
    ("254 + 16384 > 16384", 16_384, 13_384),
    ("16384 + 4000 > 18000", 16_384, 14_000),
    ("254 + 16384 > 2000", 16_384, 1746),  # the question takes less than our estimate
    ("max_completion_tokens must be less than or equal to 8192", 16_384, 8192),
    ("max_completion_tokens must be less than or equal to 8192", 8192, 5192),  # asked a second time
]


@pytest.mark.parametrize(("words", "asked", "room"), TOLD)
def test_the_room_that_a_refusal_tells(words: str, asked: int, room: int) -> None:
    assert room_told(words, asked, QUESTION) == room


@pytest.mark.parametrize(
    "words",
    [
        "Input length (14211) exceeds model's maximum context length (8192).",
        "The decoder prompt (length 14211) is longer than the maximum model length of 8192.",
        "This model's maximum context length is 8192 tokens. However, your request has 45006 input"
        " tokens. Please reduce the length of the input messages.",
        "At most 1 image(s) may be provided in one prompt.",
        "Failed to load image: cannot identify image file",
        "Image size (200000000 pixels) exceeds limit of 178956970 pixels",
        "The model `x` does not exist.",
        "Unauthorized",
        "",
    ],
)
def test_refusals_that_no_shorter_answer_mends(words: str) -> None:
    assert room_told(words, 5000, QUESTION) is None


def test_each_room_is_smaller_than_the_one_before() -> None:
    """So asking again comes to an end."""
    words, asked = TOLD[0][0], 16_384
    rooms = [asked]
    while (room := room_told(words, rooms[-1], QUESTION)) is not None:
        rooms.append(room)
    assert rooms == [16_384, 13_384]


@pytest.mark.parametrize(
    ("rooms", "first"), [((0, 5), 5), ((-1, 1), 1), ((10, 9), 9), ((10,), None), ((), None)]
)
def test_a_room_is_less_than_what_was_asked_for(rooms: tuple[int, ...], first: int | None) -> None:
    assert smaller(10, *rooms) == first
