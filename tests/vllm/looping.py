"""What vLLM's own loop stop makes of texts in dots.ocr's own tokens; run by vLLM's interpreter.

In: a JSON object on stdin, {"texts": [...], "counts": [...]}. Out: for each text its number of
tokens, the length in characters of each token, and for each count the tokens after which the
server would stop, or null.
"""

import base64
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import tiktoken  # type: ignore[import-not-found]  # this and the next: in vLLM's environment alone

try:
    from vllm.sampling_params import (  # type: ignore[import-not-found]
        RepetitionDetectionParams,
    )
    from vllm.v1.core.sched.utils import (  # type: ignore[import-not-found]
        check_sequence_repetition,
    )
except ImportError:  # an age that stops no loop
    RepetitionDetectionParams = None

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def tokenizer() -> Any:
    """Qwen's, which is dots.ocr's; its vocabulary comes with a package."""
    spec = importlib.util.find_spec("dashscope")
    assert spec is not None and spec.origin is not None
    lines = (Path(spec.origin).parent / "resources" / "qwen.tiktoken").read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}
    return tiktoken.Encoding("qwen", pat_str=SPLIT, mergeable_ranks=ranks, special_tokens={})


def stopped_after(tokens: list[int], count: int) -> int | None:
    """How many tokens the server would let pass; None: all."""
    if RepetitionDetectionParams is None:
        return None
    params = RepetitionDetectionParams(min_pattern_size=1, max_pattern_size=128, min_count=count)
    for length in range(1, len(tokens) + 1):
        recent = tokens[max(0, length - 128 * count) : length]
        if check_sequence_repetition(recent, params):
            return length
    return None


def main() -> None:
    job = json.load(sys.stdin)
    encoding = tokenizer()
    results = []
    for text in job["texts"]:
        tokens = encoding.encode_ordinary(text)
        results.append(
            {
                "tokens": len(tokens),
                "pieces": [encoding.decode_single_token_bytes(token).hex() for token in tokens],
                "stopped": {count: stopped_after(tokens, count) for count in job["counts"]},
            }
        )
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
