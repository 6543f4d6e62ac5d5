"""One request and its answer: what is sent, and what comes back. Speaks the OpenAI protocol."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from PIL import Image

from picture.images import FACTOR
from picture.png import encode_png
from server.stream import AnswerStream, count_in, fault_in, said_in

IMAGE_TOKENS = "<|img|><|imgpad|><|endofimg|>"  # without it vLLM's template adds a line break


@dataclass(frozen=True)
class Sampling:
    """How to sample one answer; repetitions is the count at which the server stops a loop."""

    temperature: float
    max_tokens: int
    repetitions: int
    top_p: float = 0.9


@dataclass(frozen=True)
class Completion:
    """One answer: its text, why it ended (stop, length, repetition, …), tokens in and out."""

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int


def request_body(model: str, png: bytes, prompt: str, sampling: Sampling) -> bytes:
    """Return the JSON of one chat completion; the base64 is put in without a JSON pass."""
    place = "\0"
    text = json.dumps(
        {
            "model": model,
            "messages": messages(place, prompt),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_completion_tokens": sampling.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
            "repetition_detection": {
                "min_pattern_size": 1,
                "max_pattern_size": 128,
                "min_count": sampling.repetitions,
            },
        }
    )
    before, after = text.encode().split(json.dumps(place)[1:-1].encode())
    return b"".join((before, base64.b64encode(png), after))


def messages(picture: str, prompt: str) -> list[dict[str, Any]]:
    """Return one turn of the user: the picture, in base64, then the question."""
    url = f"data:image/png;base64,{picture}"
    parts = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": IMAGE_TOKENS + prompt},
    ]
    return [{"role": "user", "content": parts}]


def white(side: int) -> bytes:
    """Return a white square picture, as a PNG, with so many tokens a side."""
    return encode_png(Image.new("L", (side * FACTOR, side * FACTOR), "white"))


def image_tokens(size: tuple[int, int]) -> int:
    """Return the tokens of a picture of this width and height, which are multiples of FACTOR."""
    width, height = size
    return width * height // FACTOR**2


def read_completion(body: bytes) -> Completion:
    """Read a whole answer. Raises StreamError for a server's error, else one of ANOTHER_FORM."""
    answer = json.loads(body)
    if answer.get("error") or answer.get("object") == "error":
        raise fault_in(answer.get("error") or answer)
    choice = answer["choices"][0]
    usage = answer.get("usage") or {}
    return Completion(
        text=said_in(choice["message"]["content"]),
        finish_reason=str(choice.get("finish_reason") or "none"),
        tokens_in=count_in(usage, "prompt_tokens"),
        tokens_out=count_in(usage, "completion_tokens"),
    )


def streamed(stream: AnswerStream) -> Completion:
    """Return the answer that was heard. Raises ValueError if it stopped in the middle."""
    if not stream.finish_reason and not stream.is_complete:
        raise ValueError("the stream ended early")
    return Completion(
        stream.text, stream.finish_reason or "none", stream.tokens_in, stream.tokens_out
    )
