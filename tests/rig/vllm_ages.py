"""What differs between the ages of vLLM: one table, for real servers and for the stand-in.

`make test-vllm` compares the stand-in with the real server of each age except 0.9.1, which has no
dots.ocr of its own. The values that the 0.9.1 row sets itself were read in its code; the others are
those of 0.11.0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

OVER = (
    "max_completion_tokens={asked} cannot be greater than max_model_len={limit}. Please request"
    " fewer output tokens. (parameter=max_completion_tokens, value={asked})"
)
TOO_MANY = (
    "This model's maximum context length is {limit} tokens. However, you requested {asked} output"
    " tokens and your prompt contains at least {least} input tokens, for a total of at least"
    " {more} tokens. Please reduce the length of the input prompt or the number of requested"
    " output tokens. (parameter=input_tokens, value={least})"
)
OLD_TOO_MANY = (
    "'max_tokens' or 'max_completion_tokens' is too large: {asked}. This model's maximum context"
    " length is {limit} tokens and your request has {prompt} input tokens"
    " ({asked} > {limit} - {prompt})."
)
OLDEST_TOO_MANY = (
    "This model's maximum context length is {limit} tokens. However, you requested {total} tokens"
    " ({prompt} in the messages, {asked} in the completion). Please reduce the length of the"
    " messages or completion."
)
OLD_TOO_LARGE = (
    "The decoder prompt (length {tokens}) is longer than the maximum model length of {limit}. Make"
    " sure that `max_model_len` is no smaller than the number of text tokens plus multimodal"
    " tokens. For image inputs, the number of image tokens depends on the number of images, and"
    " possibly their aspect ratios as well."
)


@dataclass(frozen=True)
class Age:
    """One version of vLLM; the defaults are the newest."""

    version: str
    expands_pictures: bool = True
    """/tokenize writes a picture with all its tokens; otherwise as one token of any size."""
    knows_loops: bool = True
    """It obeys repetition_detection; otherwise it ignores it, like every unknown field."""
    bounds_queue: bool = True
    """It has --max-num-queued-reqs; otherwise it refuses nobody, however many wait."""
    serves_images_flags: bool = True
    """It knows all flags of vm_side/container/serve.sh, which is for the image's own version."""
    cache_gauge: str = "kv_cache_usage_perc"
    cpu_dtype: str = "bfloat16"
    """The number type with which a CPU computes the tiny model fastest."""

    over_context: str = OVER
    """The refusal of a max_completion_tokens that is larger than the context."""
    beside_prompt: str = ""
    """The same if it only does not fit beside the prompt. Here a picture counts as one token.
    Empty: the number is clamped. All versions clamp what the picture takes.
    """
    too_large: str = "Input length ({tokens}) exceeds model's maximum context length ({limit})."
    bad_picture: str = "Failed to load image: {why}"
    bad_aspect: str = "Failed to apply Qwen2VLProcessor on data"
    ending: str = ""
    """What follows the words of a refusal that comes before the model is asked."""
    truncated_status: int = 400
    local_file_status: int = 500
    type_of_500: str = "InternalServerError"
    looks_late: bool = False
    """A picture's size is judged after a streamed answer has begun: the refusal is an event."""

    @property
    def clamps(self) -> bool:
        """Whether it accepts any max_completion_tokens up to the context."""
        return not self.beside_prompt

    def too_many_tokens(self, asked: int, prompt: int, limit: int) -> str:
        """The refusal of so many tokens beside a prompt with its picture as one token; or ""."""
        if asked + prompt <= limit:
            return ""
        words = self.over_context if asked > limit else self.beside_prompt
        least = limit + 1 - asked  # newer versions count no further
        numbers = {"asked": asked, "prompt": prompt, "limit": limit, "total": asked + prompt}
        return words.format(**numbers, least=least, more=limit + 1)


V0_11 = Age(
    "0.11.0",
    expands_pictures=False,
    knows_loops=False,
    bounds_queue=False,
    serves_images_flags=False,
    cpu_dtype="float32",
    over_context=OLD_TOO_MANY,
    beside_prompt=OLD_TOO_MANY,
    too_large=OLD_TOO_LARGE,
    bad_picture="{why} {why}",
    ending=" None",
    truncated_status=500,
    local_file_status=400,
    type_of_500="Internal Server Error",
    looks_late=True,
)
V0_9 = replace(
    V0_11,
    version="0.9.1",
    cache_gauge="gpu_cache_usage_perc",
    over_context=OLDEST_TOO_MANY,
    beside_prompt=OLDEST_TOO_MANY,
    ending="",
)
V0_26 = Age(
    "0.26.0",
    bounds_queue=False,
    over_context=OVER.replace("max_model_len", "max_model_len=max_total_tokens"),
    beside_prompt=TOO_MANY,
    bad_aspect="Failed to apply partial on data",
)
NEWEST = Age("0.32.0")
AGES = (V0_9, V0_11, V0_26, NEWEST)


def age_of(version: str) -> Age:
    """The age with this version, or with a version that begins so: 0.11. Raises LookupError."""
    for age in AGES:
        if f"{age.version}.".startswith(f"{version}."):
            return age
    raise LookupError(f"vLLM {version} is none of {', '.join(age.version for age in AGES)}")


FOREIGN_TOKENIZE: dict[str, Any] = {
    "llama.cpp": {"tokens": [3417, 3413, 3412, 3414, 49, 258]},
    "without strings": {"count": 6, "max_model_len": 8192, "tokens": [1, 2], "token_strs": None},
    "a list": [{"id": 49, "text": "R", "start": 0, "stop": 1}],
    "an error": {"error": {"message": "messages are not supported", "code": 400}},
}
"""Answers with status 200 from servers with another /tokenize than vLLM's."""
