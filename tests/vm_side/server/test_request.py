"""The form of one request."""

from __future__ import annotations

import json

from rig.asking import SAMPLING
from server.request import request_body


def test_no_prompt_can_be_taken_for_the_pictures_place() -> None:
    prompt = 'a "quoted" \\ 한글 \u2028 prompt'
    body = json.loads(request_body("m\\u0001", b"\0\xff", prompt, SAMPLING))
    picture, text = body["messages"][0]["content"]
    assert picture["image_url"]["url"] == "data:image/png;base64,AP8="
    assert text["text"].endswith(prompt) and body["model"] == "m\\u0001"
