"""What values the manifest's lines and the summary must have; they may come from anywhere."""

from contract import DOUBT_KINDS, STATUSES
from picture_files import ANY_FORM, PICTURE_FORMS, PICTURE_NAME
from schema import (
    ANY_OBJECT,
    COUNT,
    DOUBT,
    FLAG,
    NULL,
    NUMBER,
    READ_LINES,
    TEXT,
    Check,
    Schema,
    check,
    either,
    fields,
    list_of,
    named,
    one_of,
)

TRUST = either({**NUMBER, "maximum": 1}, NULL)
LINE: dict[str, Schema] = {
    "page": TEXT,
    "input": TEXT,
    "pdf_page": either(COUNT, NULL),
    "status": one_of(STATUSES),
    "reason": TEXT,
    "notes": list_of(TEXT),
    "sha256": TEXT,
    "version": TEXT,
    "rotation": one_of((0, 90, 180, 270)),
    "original_size": list_of(COUNT),
    "model_size": list_of(COUNT),
    "cells": COUNT,
    "pictures": list_of({**TEXT, "pattern": f"^{PICTURE_NAME.pattern}$"}),
    "pictures_as": one_of(("", ANY_FORM, *PICTURE_FORMS)),
    "tokens_in": COUNT,
    "tokens_out": COUNT,
    "doubt_tokens": COUNT,
    "attempts": COUNT,
    "seconds": NUMBER,
    "finished_at": NUMBER,
    "finish_reason": TEXT,
    "trust": TRUST,
    "trusted_as": TRUST,
    "doubts": list_of(DOUBT),
    "reader": TEXT,
    "reader_lines": READ_LINES,
    "read_as": TEXT,
    "model": TEXT,
    "pdf_pages": COUNT,
    "forced": FLAG,
    "settings": ANY_OBJECT,
}
KINDS: dict[str, Check] = {name: check(schema) for name, schema in LINE.items()}

RUN = fields(
    {
        **dict.fromkeys(("pages", "failed", "attempts", "tokens_out", "doubt_tokens"), COUNT),
        **dict.fromkeys(("seconds", "pages_per_second", "pages_in_flight"), NUMBER),
        **dict.fromkeys(("gpu_hours", "cost_usd"), NUMBER),
    }
)
SUMMARY = fields(
    {
        **dict.fromkeys(("pages", *STATUSES, "tokens_in", "tokens_out", "doubt_tokens"), COUNT),
        "doubts": {
            "type": "object",
            "properties": dict.fromkeys(DOUBT_KINDS, COUNT),
            "additionalProperties": False,
        },
        "failures": named(COUNT),
        "run": RUN,
        "model": TEXT,
        "lacks": TEXT,
        "settings": ANY_OBJECT,
        "not_read": named(COUNT),
        "selected": TEXT,
    }
)
