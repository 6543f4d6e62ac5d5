"""Chat completions as vLLM speaks them: one request in, one answer or one error out."""

from __future__ import annotations

import base64
import binascii
import io
import json
import time
import uuid
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

MODEL = "dots-ocr-cpu-preview"
MAX_MODEL_LEN = 16384
_FACTOR = 28
_MAX_PIXELS = 178_956_970
_FORMATS = ("PNG", "JPEG", "WEBP")  # one of the other formats would run a program
_SCAN, _MOST_SCANS = b"\xff\xda", 100  # of a JPEG; each scan decodes the whole picture
_MARKS = "<|img|><|imgpad|><|endofimg|>"


class RequestError(Exception):
    """A request that cannot be answered; the body has vLLM's form."""

    def __init__(self, message: str, status: int = 400, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param

    def body(self) -> dict[str, Any]:
        kinds = {404: "NotFoundError", 503: "ServiceUnavailableError"}
        other = "BadRequestError" if self.status < 500 else "InternalServerError"
        kind = kinds.get(self.status, other)
        message = str(self)
        return {
            "error": {"message": message, "type": kind, "param": self.param, "code": self.status}
        }


@dataclass(frozen=True)
class Request:
    """What one chat completion asks for; image is the encoded file."""

    image: bytes
    prompt: str
    max_tokens: int
    streamed: bool = False


def parse(body: object) -> Request:
    """Check a request's JSON. Fields that are not known are ignored. Raises RequestError."""
    if not isinstance(body, dict):
        raise RequestError("The request body must be a JSON object")
    model = body.get("model") or MODEL
    if model != MODEL:
        raise RequestError(f"The model `{model}` does not exist.", 404, "model")
    images, texts = _parts(body.get("messages"))
    if len(images) > 1:
        raise RequestError("At most 1 image(s) may be provided in one prompt.", param="messages")
    if not images:
        raise RequestError("An image_url part with a page is needed.", param="messages")
    prompt = "\n".join(texts).replace(_MARKS, "").strip()
    streamed = bool(body.get("stream"))
    return Request(_image_bytes(images[0]), prompt, _max_tokens(body), streamed)


def _parts(messages: object) -> tuple[list[object], list[str]]:
    if not isinstance(messages, list) or not messages:
        raise RequestError("messages must be a list with at least one message", param="messages")
    images: list[object] = []
    texts: list[str] = []
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else [content]:
            if isinstance(part, str):
                texts.append(part)
            elif isinstance(part, dict) and part.get("type") == "image_url":
                image = part.get("image_url")
                images.append(image.get("url") if isinstance(image, dict) else image)
            elif isinstance(part, dict) and part.get("type") == "text":
                texts.append(str(part.get("text", "")))
            else:
                raise RequestError("Unknown part in a message's content", param="messages")
    return images, texts


def _image_bytes(url: object) -> bytes:
    if not isinstance(url, str) or not url.startswith("data:"):
        raise RequestError("Only data: URLs are read as image_url here.", param="image_url")
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise RequestError("Only base64 data URLs are supported for now.", param="image_url")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(str(error), param="image_url") from error


def _max_tokens(body: dict[Any, Any]) -> int:
    value = body.get("max_completion_tokens")
    value = body.get("max_tokens") if value is None else value
    if value is None:
        return MAX_MODEL_LEN
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RequestError(
            f"max_completion_tokens must be at least 1, got {value}.",
            param="max_completion_tokens",
        )
    if value > MAX_MODEL_LEN:
        raise RequestError(
            f"max_completion_tokens={value} cannot be greater than max_model_len={MAX_MODEL_LEN}.",
            param="max_completion_tokens",
        )
    return value


def open_image(data: bytes) -> np.ndarray[Any, Any]:
    """Decode a picture file to BGR, height × width × 3. Raises RequestError.

    It is decoded in the server's own process, so its cost is limited before: the model's context
    limits the pixels, and the number of scans limits how often each pixel is decoded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(data), formats=_FORMATS)
        width, height = image.size
        if width * height > _MAX_PIXELS:
            raise RequestError(f"Image size ({width * height} pixels) exceeds the limit.", 500)
        if max(width, height) >= 200 * min(width, height):
            raise RequestError(
                "Failed to apply Qwen2VLProcessor: absolute aspect ratio must be smaller than 200"
            )
        check_length(image_tokens(width, height))
        if image.format == "JPEG" and data.count(_SCAN) > _MOST_SCANS:
            raise RequestError(f"A JPEG of more than {_MOST_SCANS} scans is not read.")
        # Transparency becomes white paper, as in dots.ocr's own client.
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(paper, image.convert("RGBA"))
        rgb = np.asarray(image.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise RequestError(str(error), 500) from error
    # For a broken file, Pillow's readers may raise any of these.
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise RequestError(f"Failed to load image: {error}", param="image_url") from error
    return np.ascontiguousarray(rgb[:, :, ::-1])


def image_tokens(width: int, height: int) -> int:
    """Return the number of tokens of a picture of this size in pixels."""
    return max(1, round(width / _FACTOR)) * max(1, round(height / _FACTOR))


def check_length(tokens: int) -> None:
    """Raise RequestError if a prompt leaves no room for an answer."""
    if tokens >= MAX_MODEL_LEN:
        raise RequestError(
            f"Input length ({tokens}) exceeds model's maximum context length ({MAX_MODEL_LEN})."
        )


def count_tokens(text: str) -> int:
    """Estimate: one token for every four ASCII characters, one for each other character."""
    others = sum(not char.isascii() for char in text)
    return others + -(-(len(text) - others) // 4)


def cut(text: str, max_tokens: int) -> str:
    """Return the longest beginning of the text that has at most max_tokens by this estimate."""
    quarters = 0
    for at, char in enumerate(text):
        quarters += 1 if char.isascii() else 4
        if quarters > 4 * max_tokens:
            return text[:at]
    return text


def completion(text: str, prompt_tokens: int, max_tokens: int) -> dict[str, Any]:
    """Return the answer's body; a text that is too long is cut, with finish_reason "length"."""
    room = max(1, min(max_tokens, MAX_MODEL_LEN - prompt_tokens))
    kept = cut(text, room)
    tokens = min(count_tokens(kept), room)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": kept},
                "logprobs": None,
                "finish_reason": "stop" if kept == text else "length",
                "stop_reason": None,
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": tokens,
            "total_tokens": prompt_tokens + tokens,
        },
    }


def events(answer: dict[str, Any]) -> str:
    """Return an answer as vLLM would stream it: all text at once, the counts, the end."""
    about = {name: answer[name] for name in ("id", "created", "model")}
    about["object"] = "chat.completion.chunk"
    (choice,) = answer["choices"]
    said = {"index": 0, "delta": choice["message"], "finish_reason": choice["finish_reason"]}
    chunks = (
        about | {"choices": [said], "usage": answer["usage"]},
        about | {"choices": [], "usage": answer["usage"]},
    )
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"])
