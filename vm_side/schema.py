"""What JSON of ours may hold: a JSON Schema that others can read, and the check that it is.

Schemas are of the few keywords that check() knows. They are written to docs/schema/ (make schema).
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from contract import CATEGORIES, DOUBT_KINDS

Schema = Mapping[str, Any]
Check = Callable[[Any], bool]

BEYOND = 10**15  # no page has so many of anything, and no run takes so long
TYPES: Mapping[str, tuple[type, ...]] = {  # a bool is no number, as in JSON
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0, "exclusiveMaximum": BEYOND}
NUMBER: Schema = {"type": "number", "minimum": 0, "exclusiveMaximum": BEYOND}
NULL: Schema = {"type": "null"}
ANY_OBJECT: Schema = {"type": "object"}


def one_of(values: Collection[Any]) -> Schema:
    """One of these values."""
    return {"enum": list(values)}


def either(*schemas: Schema) -> Schema:
    """What fits one of these."""
    return {"anyOf": list(schemas)}


def list_of(items: Schema, length: int | None = None) -> Schema:
    """A list of these, of any length or of one."""
    bounds = {} if length is None else {"minItems": length, "maxItems": length}
    return {"type": "array", "items": items, **bounds}


def named(values: Schema) -> Schema:
    """An object that has these values under any names."""
    return {"type": "object", "additionalProperties": values}


def fields(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


BOX = list_of(COUNT, 4)
CELL = fields({"bbox": BOX, "category": one_of(CATEGORIES)}, {"text": TEXT})
CELLS = list_of(CELL)  # a page's JSON, in reading order
READ_LINE = fields({"bbox": BOX, "text": {**TEXT, "maxLength": 1000}})
READ_LINES: Schema = {**list_of(READ_LINE), "maxItems": 1000}  # of a page, by a second reader
DOUBT = fields(
    {
        "kind": one_of(DOUBT_KINDS),
        "bbox": BOX,
        "cell": either(COUNT, NULL),
        "detail": named(either(TEXT, NUMBER)),
    }
)


def check(schema: Schema) -> Check:
    """Whether a value fits a schema, as a function: made once, asked of each line."""
    checks = [keyword(schema[name], schema) for name, keyword in KEYWORDS.items() if name in schema]
    if len(checks) == 1:
        return checks[0]

    def fits(value: Any) -> bool:
        for each in checks:  # noqa: SIM110 - all() is half as fast, and lines are many
            if not each(value):
                return False
        return True

    return fits


def _type(wanted: str, schema: Schema) -> Check:
    types = TYPES[wanted]
    if len(types) == 1:
        return lambda value: type(value) is types[0]
    return lambda value: type(value) in types


def _enum(values: list[Any], schema: Schema) -> Check:
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def _any_of(schemas: list[Schema], schema: Schema) -> Check:
    checks = [check(one) for one in schemas]
    return lambda value: any(fits(value) for fits in checks)


def _items(items: Schema, schema: Schema) -> Check:
    fits = check(items)
    return lambda value: all(map(fits, value))


def _fields(properties: Mapping[str, Schema], schema: Schema) -> Check:
    known = {name: check(one) for name, one in properties.items()}
    return lambda value: all(known[name](one) for name, one in value.items() if name in known)


def _others(others: bool | Schema, schema: Schema) -> Check:
    known = schema.get("properties", {})
    fits: Check = (lambda value: others) if isinstance(others, bool) else check(others)
    return lambda value: all(fits(one) for name, one in value.items() if name not in known)


KEYWORDS: Mapping[str, Callable[[Any, Schema], Check]] = {  # the type first: others rely on it
    "type": _type,
    "enum": _enum,
    "anyOf": _any_of,
    "minimum": lambda least, schema: lambda value: value >= least,
    "maximum": lambda most, schema: lambda value: value <= most,
    "exclusiveMaximum": lambda beyond, schema: lambda value: value < beyond,
    "minItems": lambda least, schema: lambda value: len(value) >= least,
    "maxItems": lambda most, schema: lambda value: len(value) <= most,
    "pattern": lambda pattern, schema: lambda value: re.fullmatch(pattern, value) is not None,
    "maxLength": lambda most, schema: lambda value: len(value) <= most,
    "items": _items,
    "required": lambda names, schema: lambda value: all(name in value for name in names),
    "properties": _fields,
    "additionalProperties": _others,
}
