"""What the stand-in model server answers: streams, refusals and faults, in vLLM's own shapes.

The statuses and the words of the refusals come from real vLLMs that served dots.ocr. Differences
between versions are in vllm_ages.py. Where only the beginning of a message is known, do not test
more than that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rig.layouts import FACTOR as FACTOR
from rig.layouts import MAX_PIXELS as MAX_PIXELS
from rig.layouts import default_answer as default_answer
from rig.layouts import layout_answer as layout_answer
from rig.layouts import model_size as model_size
from rig.layouts import picture_token as picture_token
from rig.vllm_ages import NEWEST, Age

Fault = Literal["reset", "close", "hang", "truncate", "garbage", "stall", "error", "busy"]
"""stall, error (of a dead engine) and busy (of a full server) come in the middle of a stream. An
answer that is not streamed is complete.
"""
FINISH_REASONS = ("stop", "length", "abort", "error", "repetition")
DONE = b"data: [DONE]\n\n"
GARBAGE = b"<html><body>502 from something that is not the model</body></html>"

PICTURE = "<|img|><|imgpad|><|endofimg|>"

_ERROR_TYPES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    404: "NotFoundError",
    429: "RateLimitError",
    500: "InternalServerError",
    503: "ServiceUnavailableError",
}


@dataclass(frozen=True)
class Reply:
    """One answer of the server; `Reply()` is the ordinary layout of the picture received."""

    text: str | None = None
    """What the model wrote. None means `default_answer` for the picture and the prompt."""
    finish_reason: str = "stop"
    status: int = 200
    error_message: str = ""
    error_param: str | None = None
    error_type: str = ""
    """Empty for the usual type of the status."""
    in_stream: bool = False
    """Whether an error comes as an event with status 200, if the answer should be streamed."""
    body: Any = None
    """A complete JSON body. It replaces the one made from the fields above."""
    is_limited: bool = True
    """Whether the answer ends at the requested limit, as vLLM's does."""
    delay_s: float = 0.0
    fault: Fault | None = None
    headers: dict[str, str] = field(default_factory=dict)
    then: Callable[[], object] | None = None
    """Called once the answer is sent: `engine_dead_500(then=server.die)`."""

    def error_body(self) -> dict[str, Any]:
        """The body of an answer other than 200."""
        kind = self.error_type or _ERROR_TYPES.get(self.status, "Error")
        return {
            "error": {
                "message": self.error_message,
                "type": kind,
                "param": self.error_param,
                "code": self.status,
            }
        }


def in_turn(*replies: Reply) -> Callable[[Any], Reply]:
    """A script that gives the n-th request the n-th reply; later requests get the last one."""
    return lambda request: replies[min(request.number, len(replies) - 1)]


# --- refusals ------------------------------------------------------------------------------


def too_long(tokens: int = 14234, limit: int = 8192, age: Age = NEWEST) -> Reply:
    """The picture and the prompt do not fit the context. A smaller picture does."""
    message = age.too_large.format(tokens=tokens, limit=limit)
    return Reply(status=400, error_message=message, in_stream=age.looks_late)


def too_many_tokens(
    asked: int = 20000, limit: int = 16384, prompt: int = 0, age: Age = NEWEST
) -> Reply:
    """max_completion_tokens is over max_model_len, or over what the prompt leaves free."""
    message = age.too_many_tokens(asked, prompt, limit) + age.ending
    return Reply(status=400, error_message=message, error_param="max_completion_tokens")


def bad_base64(age: Age = NEWEST) -> Reply:
    """The data URL does not hold base64."""
    return Reply(status=400, error_message="Non-base64 digit found" + age.ending)


def local_file(age: Age = NEWEST) -> Reply:
    """A file:// URL. A retry does not help, even where it is a 500."""
    message = "Cannot load local files without `--allowed-local-media-path`." + age.ending
    kind = age.type_of_500 if age.local_file_status == 500 else ""
    return Reply(status=age.local_file_status, error_message=message, error_type=kind)


def bad_image(
    why: str = "cannot identify image file <_io.BytesIO object>", age: Age = NEWEST
) -> Reply:
    """The bytes are not a picture."""
    return Reply(status=400, error_message=age.bad_picture.format(why=why))


def truncated(why: str, age: Age = NEWEST) -> Reply:
    """The picture is cut short."""
    if age.truncated_status == 400:
        return bad_image(why, age)
    return Reply(status=500, error_message=why, error_type=age.type_of_500)


def bad_aspect(age: Age = NEWEST) -> Reply:
    """A picture with a long side of 200 times the short side, or more."""
    return Reply(status=400, error_message=age.bad_aspect, in_stream=age.looks_late)


def two_images(limit: int = 1, age: Age = NEWEST) -> Reply:
    """More pictures than --limit-mm-per-prompt allows."""
    message = f"At most {limit} image(s) may be provided in one prompt." + age.ending
    return Reply(status=400, error_message=message)


def bad_json() -> Reply:
    """The body of the request is not JSON, or not a chat request."""
    return Reply(status=400, error_message="JSON decode error")


def unknown_model(name: str = "nope") -> Reply:
    """The server serves another model."""
    return Reply(
        status=404, error_message=f"The model `{name}` does not exist.", error_param="model"
    )


def unauthorized() -> Reply:
    """A wrong or missing --api-key; only here `error` is a string."""
    return Reply(status=401, body={"error": "Unauthorized"})


def busy_503(**more: Any) -> Reply:
    """The queue is full. vLLM sends no Retry-After; `headers=` adds one, as a proxy would."""
    message = "The engine is currently busy. Please try again later."
    return Reply(status=503, error_message=message, **more)


def engine_dead_500(**more: Any) -> Reply:
    """The engine process has died; a real server closes its port right after."""
    message = "EngineCore encountered an issue. See stack trace (above) for the root cause."
    return Reply(status=500, error_message=message, **more)


def permanent_500(pixels: int = 200_000_000) -> Reply:
    """A 500 that no retry helps: a picture over Pillow's bomb limit."""
    return bomb(
        f"Image size ({pixels} pixels) exceeds limit of 178956970 pixels, "
        "could be decompression bomb DOS attack."
    )


def bomb(words: str, age: Age = NEWEST) -> Reply:
    """The same with Pillow's own words."""
    return Reply(status=500, error_message=words, error_type=age.type_of_500)


# --- answers -------------------------------------------------------------------------------


def events(
    body: Mapping[str, Any], usage_too: bool, continuous_usage: bool, interval: int = 1
) -> list[bytes]:
    """An answer's body as vLLM streams it: the role, `interval` tokens at a time, the counts."""
    (choice,), usage = body["choices"], body["usage"]
    text, count = choice["message"]["content"], usage["completion_tokens"]
    about = {name: body[name] for name in ("id", "created", "model")}
    about |= {"object": "chat.completion.chunk"}

    def event(choices: list[Any], written: int, with_usage: bool) -> bytes:
        counts = {**usage, "completion_tokens": written}
        counts["total_tokens"] = usage["prompt_tokens"] + written
        content = {**about, "choices": choices} | ({"usage": counts} if with_usage else {})
        return b"data: " + json.dumps(content, ensure_ascii=False).encode() + b"\n\n"

    def delta(content: dict[str, str], finish_reason: str | None) -> list[Any]:
        return [{"index": 0, "delta": content, "logprobs": None, "finish_reason": finish_reason}]

    found = [event(delta({"role": "assistant", "content": ""}, None), 0, continuous_usage)]
    for number in range(0, max(1, count), interval):
        written = min(number + interval, count)
        part = text[number * 3 : written * 3 if written < count else None]
        finish_reason = choice["finish_reason"] if written == count else None
        found.append(event(delta({"content": part}, finish_reason), written, continuous_usage))
    if usage_too:
        found.append(event([], count, True))
    return [*found, DONE]


def rendered(
    text: str,
    size: tuple[int, int],
    content_format: str,
    roles: tuple[str, str, str],
    max_pixels: int,
    expands: bool = True,
) -> list[str]:
    """The tokens of a prompt as /tokenize writes them. A picture has all its tokens, or one."""
    begin, end, answer = roles
    if content_format == "openai":  # the template puts its own picture before the text
        text = PICTURE + text
    elif PICTURE not in text:
        text = f"{PICTURE}\n{text}"
    width, height = model_size(*size, max_pixels)
    tokens = re.findall(r"<\|\w+\|>| ?\w+|\s|[^\w\s]", f"{begin}{text}{end}{answer}")
    seen = ["<|imgpad|>"] * (width * height // FACTOR**2 if expands else 1)
    at = tokens.index("<|imgpad|>")
    tokens[at : at + 1] = seen  # a second placeholder stays one token: there is no picture for it
    return [token.replace(" ", "Ġ").replace("\n", "Ċ") for token in tokens]


def metrics_text(
    model: str,
    running: int,
    waiting: int,
    counts: Mapping[str, int],
    cache_use: float | None = None,
    cache_gauge: str = NEWEST.cache_gauge,
) -> str:
    """The text of /metrics.

    `counts` is by finish reason, and has the tokens read and written, the first tokens (one for
    each answer) and the preemptions. `cache_use` is the used share of the cache; None assumes that
    100 requests fill it.
    """
    label = f'engine="0",model_name="{model}"'
    values = {
        "num_requests_running": running,
        "num_requests_waiting": waiting,
        cache_gauge: min(1.0, running / 100) if cache_use is None else cache_use,
        "num_preemptions_total": counts["preemptions"],
        "prompt_tokens_total": counts["prompt_tokens"],
        "generation_tokens_total": counts["generation_tokens"],
    }
    lines = []
    for name, value in values.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE vllm:{name} {kind}", f"vllm:{name}{{{label}}} {float(value)}"]
    lines.append("# TYPE vllm:time_to_first_token_seconds histogram")
    first = float(counts["first_tokens"])
    lines.append(f"vllm:time_to_first_token_seconds_count{{{label}}} {first}")
    lines.append("# TYPE vllm:request_success_total counter")
    for reason in FINISH_REASONS:
        labels = f'engine="0",finished_reason="{reason}",model_name="{model}"'
        lines.append(f"vllm:request_success_total{{{labels}}} {float(counts[reason])}")
    return "\n".join(lines) + "\n"
