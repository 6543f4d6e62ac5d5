"""A picture of a page, and how the model is asked about it."""

from collections.abc import Callable
from dataclasses import dataclass

from server.endpoint import Endpoint
from server.request import Completion, Sampling, image_tokens
from server.room import answer_room
from server.verdicts import EndpointError

Size = tuple[int, int]


@dataclass(frozen=True)
class View:
    """How to ask about a picture, its (width, height), and how many tokens an answer may have."""

    ask: Callable[[str, Sampling], Completion]
    size: Size
    max_tokens: int


def view_of(
    endpoint: Endpoint,
    model: str,
    context: int,
    prompt_tokens: int,
    png: bytes,
    size: Size,
    is_checked: bool = True,
) -> View:
    """Make the view of a picture for a model with this context, in tokens.

    Pass is_checked=False if the preflight saw no picture so large. Then a server that shrinks the
    picture is an error, because its boxes would be wrong.
    """
    tokens = image_tokens(size)

    def ask(prompt: str, sampling: Sampling) -> Completion:
        completion = endpoint.complete(model, png, prompt, sampling, tokens + prompt_tokens)
        if not is_checked and 0 < completion.tokens_in < tokens:
            raise EndpointError("the server shrank the picture that was sent with more pixels")
        return completion

    return View(ask, size, answer_room(context, tokens + prompt_tokens))
