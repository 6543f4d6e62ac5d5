"""What the values of a manifest's line must be: it may come from anywhere."""

from collections.abc import Callable
from typing import Any

from contract import ANY_FORM, DOUBT_KINDS, PICTURE_FORMS, PICTURE_NAME, STATUSES

BEYOND = 1e15  # no page has so many of anything, and no run takes so long


def is_text(value: Any) -> bool:
    """Whether it is text."""
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    """Whether it is a whole number that can be meant."""
    return type(value) is int and 0 <= value < BEYOND


def is_number(value: Any) -> bool:
    """Whether it is a number that can be meant."""
    return is_count(value) or (type(value) is float and 0 <= value < BEYOND)


def is_trust(value: Any) -> bool:
    """Whether it is a trust, or that nobody was asked."""
    return value is None or (is_number(value) and bool(value <= 1))


def is_doubt(value: Any) -> bool:
    """Whether it is a doubt, whose detail has a depth of one."""
    if not isinstance(value, dict) or value.keys() != {"kind", "bbox", "cell", "detail"}:
        return False
    box, cell, detail = value["bbox"], value["cell"], value["detail"]
    return (
        value["kind"] in DOUBT_KINDS
        and (isinstance(box, list) and len(box) == 4 and all(map(is_count, box)))
        and (cell is None or is_count(cell))
        and isinstance(detail, dict)
        and all(is_text(v) or is_number(v) for v in detail.values())
    )


def is_picture_name(value: Any) -> bool:
    """Whether it is the name of a picture's file, and leads nowhere else."""
    return isinstance(value, str) and PICTURE_NAME.fullmatch(value) is not None


KINDS: dict[str, Callable[[Any], bool]] = {
    "page": is_text,
    "input": is_text,
    "pdf_page": lambda value: value is None or is_count(value),
    "status": lambda value: value in STATUSES,
    "reason": is_text,
    "notes": lambda value: isinstance(value, list) and all(map(is_text, value)),
    "sha256": is_text,
    "version": is_text,
    "rotation": lambda value: type(value) is int and value in (0, 90, 180, 270),
    "original_size": lambda value: isinstance(value, list) and all(map(is_count, value)),
    "model_size": lambda value: isinstance(value, list) and all(map(is_count, value)),
    "cells": is_count,
    "pictures": lambda value: isinstance(value, list) and all(map(is_picture_name, value)),
    "pictures_as": lambda value: value in ("", ANY_FORM, *PICTURE_FORMS),
    "tokens_in": is_count,
    "tokens_out": is_count,
    "doubt_tokens": is_count,
    "attempts": is_count,
    "seconds": is_number,
    "finished_at": is_number,
    "finish_reason": is_text,
    "trust": is_trust,
    "trusted_as": is_trust,
    "doubts": lambda value: isinstance(value, list) and all(map(is_doubt, value)),
    "reader": is_text,
    "read_as": is_text,
    "model": is_text,
    "pdf_pages": is_count,
    "settings": lambda value: isinstance(value, dict),
}
