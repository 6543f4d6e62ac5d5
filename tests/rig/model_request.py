"""A chat request as the stand-in model server saw it, and what vLLM refuses about it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from rig import replies
from rig.replies import Reply
from rig.vllm_ages import NEWEST, Age

IMAGE_PREFIX = "<|img|><|imgpad|><|endofimg|>"
MAX_ASPECT = 200


@dataclass
class Request:
    """One POST to /v1/chat/completions."""

    connection: int
    """Which TCP connection it came over, counted from 0."""
    received_at: float
    """time.monotonic() in seconds."""
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: dict[str, Any] = field(default_factory=dict)
    number: int = -1
    """Place in the server's log, from 0."""
    picture: bytes = b""
    size: tuple[int, int] = (0, 0)
    """Width and height of the picture in pixels; (0, 0) without a readable one."""
    text: str = ""
    """The text parts as sent; `prompt` is the same without the image prefix."""
    disconnected: bool = False
    """The client went away before it had its answer."""

    @property
    def prompt(self) -> str:
        return self.text.removeprefix(IMAGE_PREFIX)

    @property
    def picture_sha256(self) -> str:
        return hashlib.sha256(self.picture).hexdigest()

    @property
    def token(self) -> str:
        """The short name of the picture that the default answer carries."""
        return replies.picture_token(self.picture)

    @property
    def temperature(self) -> float | None:
        return self.body.get("temperature")

    @property
    def max_tokens(self) -> int | None:
        """How long an answer the client allows, in tokens."""
        return self.body.get("max_completion_tokens") or self.body.get("max_tokens")

    @property
    def text_tokens(self) -> int:
        """The prompt's tokens: roughly one per four letters."""
        return len(self.text) // 4 + 1

    @property
    def prompt_tokens(self) -> int:
        """The picture's tokens (one per 28 x 28 pixels) and the text's."""
        if not all(self.size):
            return self.text_tokens
        width, height = replies.model_size(*self.size)
        return width * height // replies.FACTOR**2 + self.text_tokens


def read_request(
    raw: bytes,
    request: Request,
    *,
    model: str,
    max_model_len: int,
    check_picture: bool,
    age: Age = NEWEST,
) -> Reply | None:
    """Fill in `request` from the raw body; return the refusal that vLLM would send, or None."""
    try:
        request.body = json.loads(raw)
        content = request.body["messages"][-1]["content"]
        parts: list[Any] = (
            [{"type": "text", "text": content}] if isinstance(content, str) else content
        )
        request.text = "".join(part["text"] for part in parts if part["type"] == "text")
        urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    except (ValueError, TypeError, LookupError):
        return replies.bad_json()
    refusal = _check_wishes(request, len(urls), model, max_model_len, age)
    if refusal is None and urls:
        refusal = _read_picture(urls[0], request, check_picture, age)
    if refusal is None and request.prompt_tokens >= max_model_len:
        refusal = replies.too_long(request.prompt_tokens, max_model_len, age)
    return refusal


def _check_wishes(
    request: Request, pictures: int, model: str, max_model_len: int, age: Age
) -> Reply | None:
    wanted = request.body.get("model", model)
    if wanted != model:
        return replies.unknown_model(wanted)
    if pictures > 1:
        return replies.two_images(age=age)
    asked, prompt = request.max_tokens, request.text_tokens
    if asked is not None and age.too_many_tokens(asked, prompt, max_model_len):
        return replies.too_many_tokens(asked, max_model_len, prompt, age)
    return None


def _read_picture(url: str, request: Request, check_picture: bool, age: Age) -> Reply | None:
    head, _, data = url.partition(",")
    if not head.startswith("data:"):
        return replies.local_file(age)
    try:
        request.picture = base64.b64decode(data, validate=True)
    except binascii.Error:
        return replies.bad_base64(age)
    try:
        with Image.open(io.BytesIO(request.picture)) as image:
            width, height = request.size = image.size
            if check_picture:
                image.load()
    except Image.DecompressionBombError as error:
        return replies.bomb(str(error), age)
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for a broken PNG
        is_opened = any(request.size)
        return (replies.truncated if is_opened else replies.bad_image)(str(error), age)
    if max(width, height) >= MAX_ASPECT * min(width, height):
        return replies.bad_aspect(age)
    return None
