"""What our JSON files may hold: a JSON Schema that others can read, and that is also our check.

Schemas use only the few keywords that check() knows. `make schema` writes them to docs/schema/.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from contract import CATEGORIES, DOUBT_KINDS

Schema = Mapping[str, Any]
Check = Callable[[Any], bool]

BEYOND = 10**15  # no page has so many of anything, and no run takes so long
TYPES: Mapping[str, tuple[type, ...]] = {  # as in JSON, a bool is not a number
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
    """Return the schema of one of these values."""
    return {"enum": list(values)}


def either(*schemas: Schema) -> Schema:
    """Return the schema of a value that fits one of these schemas."""
    return {"anyOf": list(schemas)}


def list_of(items: Schema, length: int | None = None) -> Schema:
    """Return the schema of a list of such items, of any length or of exactly this length."""
    bounds = {} if length is None else {"minItems": length, "maxItems": length}
    return {"type": "array", "items": items, **bounds}


def named(values: Schema) -> Schema:
    """Return the schema of an object that has such values under any names."""
    return {"type": "object", "additionalProperties": values}


def fields(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Return the schema of an object with these fields and no others."""
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
    """Return a function that tells whether a value fits the schema. Make it once for all lines."""
    checks = [keyword(schema[name], schema) for name, keyword in KEYWORDS.items() if name in schema]
    if len(checks) == 1:
        return checks[0]

    def fits(value: Any) -> bool:
        for each in checks:  # noqa: SIM110 - all() is half as fast, and there are many lines
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
