"""What the tests of the plan share: the cards, knobs, and a run that has ended."""

from typing import Any

from lib.knobs import Knobs
from lib.plan.cards import CARDS, TOKENS
from lib.plan.runs import Run

RECIPE = {"prompt_mode": "layout_all", "max_pixels": 2_000_000, "upsample_below": 1_200_000}
RECIPE |= {"rotate": "auto"}
L4, H200 = CARDS
GCP, LOCAL = Knobs(bucket="gs://b"), Knobs(target="local")


def run_with(**more: Any) -> Run:
    """A run of 500 pages on an L4, through a bucket."""
    reading_s = more.get("reading_s", L4.seconds(500))
    values: dict[str, Any] = {
        "target": "gcp",
        "place": "g2-standard-8",
        "bucket": True,
        "machines": 1,
        "model": "dots",
        "settings": RECIPE,
        "pages": 500,
        "tokens": TOKENS,
        "size_bytes": 150_000_000,
        "reading_s": reading_s,
        "ended_at": 1e9,
        "steps_s": {"upload": 90.0, "start": 50.0, "process": reading_s + 140, "stop": 20.0},
    }
    return Run(**{**values, **more})
