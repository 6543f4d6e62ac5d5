"""Turn a formula's MathML into the form that Word can edit (OMML)."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from docx.oxml.ns import nsmap
from docx.oxml.parser import OxmlElement
from lxml import etree

from lib.documents.office.xml_text import xml_text

nsmap.setdefault("m", "http://schemas.openxmlformats.org/officeDocument/2006/math")

MATHML = "{http://www.w3.org/1998/Math/MathML}"
MOST_DEPTH = 100  # programs refuse XML that is nested deeper than 256
NARY = set("∑∏∐∫∬∭∮∯∰⋀⋁⋂⋃⨁⨂⨀⨄⨆")
INTEGRALS = set("∫∬∭∮∯∰")
ACCENTS = {
    **{"^": "\u0302", "~": "\u0303", "→": "\u20d7", "˙": "\u0307", "¨": "\u0308", "ˇ": "\u030c"},
    **{"´": "\u0301", "`": "\u0300", "˘": "\u0306", "⃗": "\u20d7"},
}
BARS, BRACES = set("¯―‾_"), set("⏞⏟")
OPEN, CLOSED = set("([{|‖⟨⌈⌊"), set(")]}|‖⟩⌉⌋")
SCRIPTS = {
    "msub": ("sSub", ("e", "sub")),
    "msup": ("sSup", ("e", "sup")),
    "msubsup": ("sSubSup", ("e", "sub", "sup")),
}


def word_formula(math: ET.Element) -> Any:
    """Return a formula as Word's. Raises ValueError or RecursionError if it is nested too deep."""
    found = element("m:oMath", *row(list(math)))
    if any(sum(1 for _ in part.iterancestors()) > MOST_DEPTH for part in found.iter()):
        raise ValueError("a formula that is nested too deep")
    return found


def element(name: str, *inside: Any, **values: str) -> Any:
    """Return an element with this name and content, its attributes in the same namespace."""
    found = OxmlElement(name)
    for key, value in values.items():
        found.set(etree.QName(nsmap["m"], key), value)
    found.extend(inside)
    return found


def row(parts: Sequence[ET.Element]) -> list[Any]:
    """Return elements that are side by side. A sum takes the element after it as its content."""
    found, at = list[Any](), 0
    while at < len(parts):
        part = parts[at]
        at += 1
        if (base := nary_sign(part)) and (at < len(parts) or len(part)):
            summed, at = parts[at : at + 1], at + 1
            found.append(nary(part, base, summed))
        else:
            found += convert(part)
    return found


def convert(part: ET.Element) -> list[Any]:
    """Return one element of MathML as Word's. If Word has no such element, return its content."""
    way, parts = WAYS.get(name_of(part), (grouped, 0))
    return way(part) if len(part) >= parts else row(list(part))


def name_of(part: ET.Element) -> str:
    """An element's name in MathML."""
    return part.tag.removeprefix(MATHML)


def held(name: str, part: ET.Element) -> Any:
    """Return Word's element of this name (as num, den or e) with a part in it."""
    return element(f"m:{name}", *convert(part))


def grouped(part: ET.Element) -> list[Any]:
    """Return the content of an element that holds a row, or is not known."""
    inside = list(part)
    return fenced(inside) or row(inside)


def letters(part: ET.Element) -> list[Any]:
    """Return signs and words as they are; words are upright."""
    text = " " if name_of(part) == "mspace" else xml_text(part.text or "")
    if not text:
        return []
    found = element("m:t")
    found.text = text
    found.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    is_words = name_of(part) in ("mtext", "mspace")
    look = [element("m:rPr", element("m:nor"))] if is_words else []
    return [element("m:r", *look, found)]


def fraction(part: ET.Element) -> list[Any]:
    """Return a fraction: one above the other, with or without a line."""
    kind = "noBar" if part.get("linethickness") == "0" else "bar"
    look = element("m:fPr", element("m:type", val=kind))
    return [element("m:f", look, held("num", part[0]), held("den", part[1]))]


def square_root(part: ET.Element) -> list[Any]:
    """Return a root without a number."""
    look = element("m:radPr", element("m:degHide", val="1"))
    return [element("m:rad", look, element("m:deg"), element("m:e", *row(list(part))))]


def root(part: ET.Element) -> list[Any]:
    """Return a root with a number."""
    return [element("m:rad", held("deg", part[1]), held("e", part[0]))]


def scripted(part: ET.Element) -> list[Any]:
    """Return a base with a subscript, a superscript, or both."""
    name, places = SCRIPTS[name_of(part)]
    return [element(f"m:{name}", *map(held, places, part))]


def nary_sign(part: ET.Element) -> str:
    """Return the sign of a sum, a product or an integral; empty if the element is not one."""
    has_limits = name_of(part) in ("msub", "msup", "msubsup", "munder", "mover", "munderover")
    base = part[0] if has_limits and len(part) else part
    text = (base.text or "").strip() if name_of(base) == "mo" else ""
    return text if text in NARY else ""


def nary(part: ET.Element, sign: str, summed: Sequence[ET.Element]) -> Any:
    """Return a sum with its limits."""
    name = name_of(part)
    limits = list(part)[1:]
    below = limits.pop(0) if (limits and "sub" in name) or "under" in name else None
    above = limits.pop(0) if limits else None
    look = element(
        "m:naryPr",
        element("m:chr", val=sign),
        element("m:limLoc", val="subSup" if sign in INTEGRALS else "undOvr"),
        *([] if below is not None else [element("m:subHide", val="1")]),
        *([] if above is not None else [element("m:supHide", val="1")]),
    )
    return element(
        "m:nary",
        look,
        held("sub", below) if below is not None else element("m:sub"),
        held("sup", above) if above is not None else element("m:sup"),
        element("m:e", *row(summed)),
    )


def above_or_below(part: ET.Element) -> list[Any]:
    """Return a base with a bar, a brace, an accent or a limit, above or below it."""
    name, base, sign = name_of(part), part[0], part[1]
    text = (sign.text or "").strip()
    place = element("m:pos", val="top" if name == "mover" else "bot")
    if text in BARS:
        return [element("m:bar", element("m:barPr", place), held("e", base))]
    if text in BRACES:
        look = element("m:groupChrPr", element("m:chr", val=text), place)
        return [element("m:groupChr", look, held("e", base))]
    if name == "mover" and text in ACCENTS:
        look = element("m:accPr", element("m:chr", val=ACCENTS[text]))
        return [element("m:acc", look, held("e", base))]
    limit = "limUpp" if name == "mover" else "limLow"
    return [element(f"m:{limit}", held("e", base), held("lim", sign))]


def below_and_above(part: ET.Element) -> list[Any]:
    """Return a base with two limits."""
    low = element("m:limLow", held("e", part[0]), held("lim", part[1]))
    return [element("m:limUpp", element("m:e", low), held("lim", part[2]))]


def fenced(parts: Sequence[ET.Element]) -> list[Any]:
    """Return a row in brackets that grow with it; empty if it has no such brackets."""
    if len(parts) < 2 or name_of(parts[0]) != "mo":
        return []
    first, last = parts[0], parts[-1]
    opens, closes = (first.text or "").strip(), (last.text or "").strip()
    is_pair = first.get("form") == "prefix"
    ends = name_of(last) == "mo" and last.get("form") == "postfix"
    if not is_pair:
        around = len(parts) == 3 and name_of(parts[1]) == "mtable"
        is_pair = ends = around and opens in OPEN and closes in CLOSED
    if not is_pair:
        return []
    inside = parts[1:-1] if ends else parts[1:]
    look = element(
        "m:dPr",
        element("m:begChr", val=xml_text(opens)),
        element("m:endChr", val=xml_text(closes) if ends else ""),
    )
    return [element("m:d", look, element("m:e", *row(inside)))]


def matrix(part: ET.Element) -> list[Any]:
    """Return a matrix, all rows as long as the longest; or equations, one below the other."""
    rows = list(part)
    if part.get("displaystyle") == "true":
        lines = (element("m:e", *row([sign for place in line for sign in place])) for line in rows)
        return [element("m:eqArr", *lines)]
    columns = max(map(len, rows), default=0)
    count = element("m:mcPr", element("m:count", val=str(max(columns, 1))))
    look = element("m:mPr", element("m:mcs", element("m:mc", count)))
    lines = (
        element(
            "m:mr",
            *(element("m:e", *row(list(place))) for place in line),
            *(element("m:e") for _ in range(columns - len(line))),
        )
        for line in rows
    )
    return [element("m:m", look, *lines)]


WAYS: Mapping[str, tuple[Callable[[ET.Element], list[Any]], int]] = {
    **dict.fromkeys(("mi", "mn", "mo", "ms", "mtext", "mspace"), (letters, 0)),
    "mphantom": (lambda part: [], 0),
    "mfrac": (fraction, 2),
    "msqrt": (square_root, 0),
    "mroot": (root, 2),
    "msub": (scripted, 2),
    "msup": (scripted, 2),
    "msubsup": (scripted, 3),
    "munder": (above_or_below, 2),
    "mover": (above_or_below, 2),
    "munderover": (below_and_above, 3),
    "mtable": (matrix, 0),
}
"""For each MathML element: how to convert it, and how many parts it must have at least."""
