"""Before the first page: does this server read what we send as the model was taught to read it?

A wrong prompt or too small a context fails no request; it only spoils every answer. Once a job.
"""

import math

from PIL import Image

from picture.images import FACTOR
from picture.png import encode_png
from server.endpoint import Endpoint, Model
from server.prompts import PROMPTS
from server.request import IMAGE_TOKENS
from server.verdicts import EndpointError

ANSWER_ROOM = 4096  # tokens; most pages need a third of it, a dense one all
PROMPT_TOKENS = 600  # where the server does not say how many there are
PICTURE, PLACE = "<|img|>", "<|imgpad|>"
USER, END, ASSISTANT = "<|user|>", "<|endofuser|>", "<|assistant|>"
START = "vllm serve rednote-hilab/dots.ocr --chat-template-content-format string"


class Unfit(EndpointError):
    """This server would not read the pages as it should; says why, and what to do."""


def check(endpoint: Endpoint, model: Model, prompt_mode: str, max_pixels: int) -> None:
    """Raises Unfit, or EndpointError where the server fails. A server that cannot tell passes."""
    prompt = PROMPTS[prompt_mode]
    tokens = endpoint.rendered(model.name, white(2), prompt)
    if tokens is not None:
        check_prompt(model.name, tokens, prompt)
    check_room(model, PROMPT_TOKENS if tokens is None else len(tokens), max_pixels)
    side = max(2, math.isqrt(max_pixels) // FACTOR)
    tokens = endpoint.rendered(model.name, white(side), prompt)
    if tokens is not None and tokens.count(PLACE) != side**2:
        raise Unfit(
            f"{model.name!r} makes {tokens.count(PLACE)} tokens of a picture of {side**2}: the"
            f" server changes its size, and boxes would be off; give its --mm-processor-kwargs a"
            f" max_pixels of at least {max_pixels}, or a smaller -m"
        )


def white(side: int) -> bytes:
    """A square picture of so many tokens a side."""
    return encode_png(Image.new("L", (side * FACTOR, side * FACTOR), "white"))


def check_prompt(name: str, tokens: list[str], prompt: str) -> None:
    """The rendered prompt: one turn of the user, one picture in it, then the question."""
    pictures = tokens.count(PICTURE)
    if pictures > 1:
        raise Unfit(
            f"{name!r} sees {pictures} pictures in a prompt with one: the server was started with"
            f" another --chat-template-content-format; start it so: {START}"
        )
    if not pictures or USER not in tokens or END not in tokens or tokens[-1] != ASSISTANT:
        lacking = [mark for mark in (PICTURE, USER, END, ASSISTANT) if mark not in tokens]
        raise Unfit(
            f"{name!r} is no dots.ocr, or has not its chat template: its prompt lacks"
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
    """Text without its white space, whichever letters the tokenizer writes that with."""
    return "".join(rendered.replace("Ġ", " ").replace("Ċ", " ").split())


def check_room(model: Model, prompt_tokens: int, max_pixels: int) -> None:
    """The largest picture, the prompt and an answer must fit the context."""
    picture = -(-max_pixels // FACTOR**2)
    needed = picture + prompt_tokens + ANSWER_ROOM
    if 0 < model.max_tokens < needed:
        room = (model.max_tokens - prompt_tokens - ANSWER_ROOM) * FACTOR**2
        smaller = f", or give -m {room} or less" if room >= FACTOR**2 else ""
        raise Unfit(
            f"a picture of {max_pixels} pixels, the prompt and an answer need {needed} tokens,"
            f" and {model.name!r} has a context of {model.max_tokens}:"
            f" start the server with --max-model-len {needed} or more{smaller}"
        )
