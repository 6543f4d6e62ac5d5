"""The ways in which the sample is read, what that will take, and whose folders are whose."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib.knobs import OCR, Knobs

FOLDER = "tune_files"  # in OUTPUT, as report_files
SAMPLE = "sample"
LADDER = (1_000_000, 1_200_000, 1_500_000, 2_000_000, 3_000_000, 4_000_000)
ENLARGING = 1_200_000  # what UPSAMPLE_BELOW is tried as, where it is 0


@dataclass(frozen=True)
class Variant:
    """One way."""

    max_pixels: int
    upsample_below: int

    def __str__(self) -> str:
        """For people."""
        return f"{self.max_pixels:,} with UPSAMPLE_BELOW={self.upsample_below}"

    @property
    def name(self) -> str:
        """Of its folder of results."""
        return f"{self.max_pixels}-{self.upsample_below}"


def variants_for(knobs: Knobs, ladder: Iterable[int]) -> tuple[list[Variant], Variant]:
    """(the ladder, the most pixels first; the way that tells what enlarging is worth).

    The second differs from a step of the ladder in UPSAMPLE_BELOW alone. Where a page is not
    enlarged in either, both saw the same picture: so far do two readings of one picture differ.
    """
    steps = sorted({*ladder, knobs.max_pixels}, reverse=True)
    other = 0 if knobs.upsample_below else ENLARGING
    found = [Variant(pixels, knobs.upsample_below) for pixels in steps]
    return found, Variant(knobs.max_pixels, other)


def folder_of(knobs: Knobs) -> Path:
    """Where all of it is, next to the results of OUTPUT, of which none is touched."""
    return Path(knobs.output).expanduser().resolve() / FOLDER


def knobs_for(knobs: Knobs, variant: Variant) -> Knobs:
    """The knobs that its verbs get: the sample, a folder of results of its own, one machine."""
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
    """Whether a server that serves the knobs well may still have no room for this."""
    return variant.max_pixels > knobs.max_pixels
