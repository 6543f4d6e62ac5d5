"""Asks the reference client what it makes of a page; run by the interpreter that has it.

Jobs come in on stdin, one JSON object a line, and each is answered by a line on stdout:

    input       a picture or a PDF
    output      folder for the reference's own result files
    max_pixels  what the project calls -m
    upsample    whether to enlarge the picture through MuPDF first
    prompt      name of the reference's prompt
    answers     what the model would say, page after page
    port        instead of answers: send it, with the reference's own request, to a server here
    pixels      file to write the raw RGB pixels of the (last) picture to

The reference's own parser does all of it. Two things are put in its way: where it would send a
picture, the picture is noted down and the given answer returned; and it draws one white pixel.
"""

import hashlib
import json
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# the reference, and MuPDF, print to stdout as they please
ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

# imported only now, since importing prints too; the reference has no types
import dots_ocr.parser  # type: ignore[import-not-found]  # noqa: E402
import PIL.Image  # noqa: E402
from dots_ocr.utils.prompts import (  # type: ignore[import-not-found]  # noqa: E402
    dict_promptmode_to_prompt,
)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """One job: what was sent, what was made of the answers, and the error that ended it, if any."""
    parser = dots_ocr.parser.DotsOCRParser(
        ip="127.0.0.1",
        port=job.get("port", 0),
        max_pixels=job["max_pixels"],
        num_thread=1,
        output_dir=job["output"],
    )
    sent: list[dict[str, Any]] = []
    if "port" not in job:
        parser._inference_with_vllm = recorder(sent, iter(job["answers"]), job.get("pixels"))
    results: list[dict[str, Any]] = []
    error = ""
    try:
        results = parser.parse_file(
            job["input"], prompt_mode=job["prompt"], fitz_preprocess=job["upsample"]
        )
    except Exception as problem:  # noqa: BLE001  whatever ends the reference is its answer
        traceback.print_exc()
        error = f"{type(problem).__name__}: {problem}"
    return {"sent": sent, "pages": [written(result) for result in results], "error": error}


def recorder(sent: list[dict[str, Any]], answers: Iterator[str], pixels: str | None) -> Any:
    """What takes the place of the request to the server."""

    def record(image: Any, prompt: str) -> str:
        raw = image.tobytes()
        if pixels:
            Path(pixels).write_bytes(raw)
        picture = {
            "mode": image.mode,
            "size": image.size,
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
        sent.append({**picture, "prompt": prompt})
        return next(answers)

    return record


def written(result: dict[str, Any]) -> dict[str, Any]:
    """The files that the reference wrote for one page; None for those it did not write."""
    content: dict[str, Any] = {
        "json_path": result.get("layout_info_path"),
        "filtered": result.get("filtered", False),
    }
    for name, key in (
        ("json", "layout_info_path"),
        ("md", "md_content_path"),
        ("nohf", "md_content_nohf_path"),
    ):
        content[name] = Path(result[key]).read_text(encoding="utf-8") if key in result else None
    return content


def main() -> None:
    pixel = PIL.Image.new("RGB", (1, 1), "white")
    dots_ocr.parser.draw_layout_on_image = lambda image, cells: pixel
    print(json.dumps({"prompts": dict_promptmode_to_prompt}), file=ANSWERS, flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=ANSWERS, flush=True)


if __name__ == "__main__":
    main()
