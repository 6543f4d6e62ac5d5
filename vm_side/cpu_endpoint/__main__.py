"""Start the CPU endpoint: python -m cpu_endpoint --host 127.0.0.1 --port 8000."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys

import click

INSTALL = "pip install --no-deps -r vm_side/cpu_endpoint/requirements.txt"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one, named in the ready line.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Threads for one page; pages are read one at a time.",
)
def main(host: str, port: int, threads: int) -> None:
    """Read pages on this computer's CPU, behind the protocol of a vLLM server.

    A preview of the whole loop without a GPU: a small layout model and OCR, not dots.ocr.
    SIGTERM or Ctrl-C ends it, at once and whatever it is reading.

    Example: python -m cpu_endpoint --port 8000
    """
    # With more OpenMP threads, Tesseract and the models would only fight for cores.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    try:
        # Imported here, so that --help works, and a missing package is explained.
        code = importlib.import_module("cpu_endpoint.app").run(host, port, threads)
    except ImportError as error:
        raise click.ClickException(f"{error}. Install the CPU engine: {INSTALL}") from error
    # The models may still be reading a page, but its answer is not worth waiting for.
    with contextlib.suppress(OSError):  # the log's disk may be full
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
