"""Reads pages with dots.ocr's own client; run it with the Python that has this client.

stdin is one JSON object: the port of the server, the output folder, max_pixels, answer_tokens,
threads, and the files, each with whether to enlarge it first. With one thread it reads one page
after another.
"""

import json
import sys
from multiprocessing.pool import ThreadPool
from typing import Any

from dots_ocr.parser import DotsOCRParser  # type: ignore[import-not-found]  # only in .venv-parity


def main() -> None:
    job: dict[str, Any] = json.load(sys.stdin)
    parser = DotsOCRParser(
        ip="127.0.0.1",
        port=job["port"],
        max_pixels=job["max_pixels"],
        num_thread=job["threads"],
        max_completion_tokens=job["answer_tokens"],
        output_dir=job["output"],
    )

    def read(file: tuple[str, bool]) -> int:
        path, upsample = file
        results = parser.parse_file(path, fitz_preprocess=upsample)
        if any(result.get("filtered") for result in results):
            raise ValueError(f"the reference could not read the answer for {path}")
        return len(results)

    if job["threads"] == 1:
        done = sum(map(read, job["files"]))
    else:
        with ThreadPool(min(job["threads"], len(job["files"]))) as pool:
            done = sum(pool.map(read, job["files"], chunksize=1))
    print(f"\n{done}")


if __name__ == "__main__":
    main()
