"""Before the first page: does this server read what we send as the model was taught to read it?

With a wrong prompt or too small a context no request fails, but every answer is bad. The check is
made once a job. It refuses only what is known to be wrong: vLLM before 0.17 writes a picture as one
token, and other servers have another /tokenize, or none.
"""

import math
from dataclasses import dataclass

from picture.images import FACTOR
from prompts import PROMPTS
from server.endpoint import Endpoint, Model
from server.request import IMAGE_TOKENS, white
from server.room import ANSWER_ROOM, PROMPT_TOKENS, picture_room
from server.verdicts import EndpointError

PICTURE, PLACE = "<|img|>", "<|imgpad|>"
USER, END, ASSISTANT = "<|user|>", "<|endofuser|>", "<|assistant|>"
START = "vllm serve rednote-hilab/dots.ocr --chat-template-content-format string"


class Unfit(EndpointError):
    """This server would not read the pages as it should. The message says why, and what to do."""


@dataclass(frozen=True)
class Fitness:
    """What is known about a server that may be fit.

    prompt_tokens counts the prompt without the picture; 0 if it is not known. sees_size: the check
    has shown that pictures keep their size.
    """

    prompt_tokens: int = 0
    sees_size: bool = False


def check(endpoint: Endpoint, model: Model, prompt_mode: str, max_pixels: int) -> Fitness:
    """Check the server. Raises Unfit or ServerGone. A server that cannot tell passes."""
    prompt = PROMPTS[prompt_mode]
    tokens = endpoint.rendered(model.name, white(2), prompt)
    if tokens is None:
        check_room(model, PROMPT_TOKENS, max_pixels)
        return Fitness()
    check_prompt(model.name, tokens, prompt)
    prompt_tokens = len(tokens) - tokens.count(PLACE)
    check_room(model, prompt_tokens, max_pixels)
    side = max(2, math.isqrt(max_pixels) // FACTOR)
    larger = endpoint.rendered(model.name, white(side), prompt)
    seen = larger.count(PLACE) if larger is not None else 1
    if seen <= 1:  # only the picture's placeholder: the server does not tell its size
        return Fitness(prompt_tokens)
    if seen != side**2:
        raise Unfit(
            f"{model.name!r} makes {seen} tokens of a picture of {side**2}: the server changes its"
            f" size, and boxes would be off; give its --mm-processor-kwargs a max_pixels of at"
            f" least {max_pixels}, or a smaller -m"
        )
    return Fitness(prompt_tokens, sees_size=True)


def check_prompt(name: str, tokens: list[str], prompt: str) -> None:
    """Check the rendered prompt: one turn of the user, with one picture, then the question."""
    pictures = tokens.count(PICTURE)
    if pictures > 1:
        raise Unfit(
            f"{name!r} sees {pictures} pictures in a prompt with one: the server was started with"
            f" another --chat-template-content-format; start it so: {START}"
        )
    if not pictures or USER not in tokens or END not in tokens or tokens[-1] != ASSISTANT:
        lacking = [mark for mark in (PICTURE, USER, END, ASSISTANT) if mark not in tokens]
        raise Unfit(
            f"{name!r} is not dots.ocr, or lacks its chat template: its prompt lacks"
            f" {', '.join(lacking) or 'the answer at its end'}; start it so: {START}"
        )
    rendered = "".join(token for token in tokens if token != PLACE)
    turn = USER + IMAGE_TOKENS.replace(PLACE, "")
    question = "".join(prompt.split())[:20]
    if not rendered.startswith(turn) or question not in plain(rendered):
        raise Unfit(
            f"{name!r} reads another prompt than was sent ({rendered[:60]!r} …):"
            f" use the chat template of the model; start it so: {START}"
        )


def plain(rendered: str) -> str:
    """Remove white space from a text, also in the letters by which the tokenizer writes it."""
    return "".join(rendered.replace("Ġ", " ").replace("Ċ", " ").split())


def check_room(model: Model, prompt_tokens: int, max_pixels: int) -> None:
    """Check that the largest picture, the prompt and an answer fit the context. Raises Unfit."""
    picture = -(-max_pixels // FACTOR**2)
    needed = picture + prompt_tokens + ANSWER_ROOM
    if 0 < model.max_tokens < needed:
        room = picture_room(model.max_tokens, prompt_tokens)
        smaller = f", or give -m {room} or less" if room >= FACTOR**2 else ""
        raise Unfit(
            f"a picture of {max_pixels} pixels, the prompt and an answer need {needed} tokens,"
            f" and {model.name!r} has a context of {model.max_tokens}:"
            f" start the server with --max-model-len {needed} or more{smaller}"
        )
