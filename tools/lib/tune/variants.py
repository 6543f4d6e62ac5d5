"""The ways in which the sample is read, and the knobs and the folder of each."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib.knobs import OCR, Knobs

FOLDER = "tune_files"  # in OUTPUT, like report_files
SAMPLE = "sample"
LADDER = (1_000_000, 1_200_000, 1_500_000, 2_000_000, 3_000_000, 4_000_000)
ENLARGING = 1_200_000  # if UPSAMPLE_BELOW is 0, this value is tried


@dataclass(frozen=True)
class Variant:
    """One way of reading the sample."""

    max_pixels: int
    upsample_below: int

    def __str__(self) -> str:
        """The way in words, for people."""
        return f"{self.max_pixels:,} with UPSAMPLE_BELOW={self.upsample_below}"

    @property
    def name(self) -> str:
        """The name of its folder of results."""
        return f"{self.max_pixels}-{self.upsample_below}"


def variants_for(knobs: Knobs, ladder: Iterable[int]) -> tuple[list[Variant], Variant]:
    """Return (the ladder, the most pixels first; the way that shows what enlarging is worth).

    The second one differs from a step of the ladder only in UPSAMPLE_BELOW. If a page is enlarged
    in neither, both saw the same picture. So this shows how far two readings of one picture differ.
    """
    steps = sorted({*ladder, knobs.max_pixels}, reverse=True)
    other = 0 if knobs.upsample_below else ENLARGING
    found = [Variant(pixels, knobs.upsample_below) for pixels in steps]
    return found, Variant(knobs.max_pixels, other)


def folder_of(knobs: Knobs) -> Path:
    """The folder with all files of make tune. The results in OUTPUT, next to it, do not change."""
    return Path(knobs.output).expanduser().resolve() / FOLDER


def knobs_for(knobs: Knobs, variant: Variant) -> Knobs:
    """The knobs for the verbs of one way: the sample, its own folder of results, one machine."""
    folder = folder_of(knobs)
    return dataclasses.replace(
        knobs,
        input=str(folder / SAMPLE),
        output=str(folder / variant.name),
        max_pixels=variant.max_pixels,
        upsample_below=variant.upsample_below,
        pages="",
        images=False,
        pictures="none",
        doubtful=False,
        witness="ink" if knobs.witness == OCR else knobs.witness,
        workers=0,
        take=False,
    )


def may_be_refused(variant: Variant, knobs: Knobs) -> bool:
    """Whether a server that serves the user's knobs may still have no room for so many pixels."""
    return variant.max_pixels > knobs.max_pixels
