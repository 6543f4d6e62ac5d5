#!/usr/bin/env python3
"""A real card, measured: pages a second of our client, of dots.ocr's own, and of the best possible.

Starts the model server by serve.sh, with the vLLM of this machine or of the docker image. Without
the model's weights it serves random ones of the full size that tell known answers, as long as those
of real pages. Each part is a client that is watched once it has come to its steady state. What
was seen is kept in the folder, so the next run goes on with the parts that are missing; the table
on stdout is of all that is there. No network is needed.

Parts: ceiling, ours, reference, ours-12, ours-64; with any other -p, ours-N.
"""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from subprocess import CalledProcessError

import click

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS.parent / name) for name in ("tests", "vm_side", "tools")]

from bench.card import clients  # noqa: E402 - found by the line above
from bench.card.fit import fit_of  # noqa: E402 - so is this
from bench.card.running import ClientFailed  # noqa: E402 - so is this
from bench.card.serving import ROOT, Image, Installed, Place  # noqa: E402 - so is this
from bench.card.session import Session  # noqa: E402 - so is this
from bench.card.state import Mixed, State  # noqa: E402 - so is this
from bench.card.table import table  # noqa: E402 - so is this
from bench.card.windows import row_of  # noqa: E402 - so is this

FAILURES = (Mixed, ClientFailed, OSError, EOFError, RuntimeError, CalledProcessError)
LEFT = 3  # exit code: some parts were not run, as for pages


@click.command(help=__doc__)
@click.option(
    "--part", "parts", multiple=True, metavar="NAME", help="Run this one, or run it again."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / ".bench-card",
    help="What was seen, second by second, and all that is made for it.",
)
@click.option("--vllm", type=click.Path(path_type=Path), help="vLLM's command; else that in PATH.")
@click.option(
    "--image",
    envvar="CONTAINER_IMAGE",
    default="custom-dots-ocr:unified",
    show_default=True,
    help="Image with vLLM, where there is no such command.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=Path("/model"),
    show_default=True,
    help="Folder of the weights; without a config.json there, random ones.",
)
@click.option("--flags", default="", help="More for VLLM_FLAGS, as --max-num-seqs 256.")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    default=ROOT / ".venv-parity" / "bin" / "python",
    help="The interpreter that has dots.ocr's own client.",
)
@click.option("--minutes", default=7.5, show_default=True, help="For the start, and all parts.")
@click.option(
    "--window", "window_s", default=30.0, show_default=True, help="Seconds in the steady state."
)
@click.option("--usd-per-hour", default=0.0, help="Of the machine, for the price of 1,000 pages.")
@click.option("--rehearse", is_flag=True, help="With a tiny model, on the CPU.")
def main(
    parts: tuple[str, ...],
    folder: Path,
    vllm: Path | None,
    image: str,
    model: Path,
    flags: str,
    reference: Path,
    minutes: float,
    window_s: float,
    usd_per_hour: float,
    rehearse: bool,
) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if unknown := [part for part in parts if not clients.is_part(part)]:
        raise click.UsageError(f"no such part: {', '.join(unknown)}")
    state = State((folder / "rehearsal" if rehearse else folder).absolute())
    left = list(parts) or [part for part in clients.USUAL if part not in state.looks()]
    failure = ""
    if left:
        place = place_of(vllm, image, state.folder)
        session = Session(left, state, place, model, flags, reference, minutes, window_s, rehearse)
        try:
            left = session.measure()
        except FAILURES as error:
            failure = str(error)
    if machine := state.machine():
        looks = state.looks()
        order = [*clients.USUAL, *looks]
        rows = (row_of(part, looks[part]) for part in sorted(looks, key=order.index))
        fit = fit_of(looks.values())
        shown = [row for row in rows if row]
        click.echo(table(machine, state.starts(), shown, fit, usd_per_hour))
    if failure:
        raise click.ClickException(failure)
    if left:
        click.echo(f"no time was left for {', '.join(left)}: run it again", err=True)
        sys.exit(LEFT)


def place_of(vllm: Path | None, image: str, folder: Path) -> Place:
    """The vLLM of this machine, or else the one in the image."""
    if command := vllm or shutil.which("vllm"):
        return Installed(Path(command).absolute(), folder)
    if shutil.which("docker"):
        return Image(image, folder)
    raise click.UsageError("neither vllm nor docker is in PATH: say --vllm PATH")


if __name__ == "__main__":
    main()
