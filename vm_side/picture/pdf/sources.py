"""Find what a page of a PDF is drawn from: streams of drawing operators, and pictures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pymupdf
from pymupdf import mupdf

CMYK_CHANNELS = 4


@dataclass(frozen=True)
class Stored:
    """A picture in a PDF: its number, and its filters; the last one packs the pixels."""

    xref: int
    filters: tuple[str, ...]
    is_cmyk: bool = False

    @property
    def kind(self) -> str:
        """The filter that packs its pixels; empty if they are not packed."""
        return self.filters[-1] if self.filters else ""


@dataclass
class Sources:
    """What a page uses: drawings by number; pictures and their masks."""

    drawings: list[int] = field(default_factory=list)
    pictures: list[Stored] = field(default_factory=list)
    named: list[tuple[str, int]] = field(default_factory=list)
    """(name, number) pairs: the names by which drawing operators use them."""


def sources_of(document: pymupdf.Document, index: int) -> Sources:
    """Find all that a page names, also for its annotations, patterns, letters and masks.

    Raises what MuPDF raises.
    """
    page = mupdf.pdf_lookup_page_obj(mupdf.pdf_document_from_fz_document(document), index)
    found, seen = Sources(), set[int]()
    resources = mupdf.pdf_dict_get_inheritable(page, mupdf.pdf_new_name("Resources"))
    annotations = mupdf.pdf_dict_gets(page, "Annots")
    todo = [*named_in(resources, seen), *(("", look) for look in shown_of(annotations))]
    while todo:
        name, each = todo.pop()
        xref = mupdf.pdf_to_num(each)
        found.named += [(name, xref)] * bool(name)
        if not is_new(each, seen):
            continue
        if mupdf.pdf_to_name(mupdf.pdf_dict_gets(each, "Subtype")) == "Image":
            found.pictures.append(Stored(xref, filters_of(each), is_cmyk(each)))
            todo += [(name, mupdf.pdf_dict_gets(each, mask)) for mask in ("SMask", "Mask")]
            continue
        if mupdf.pdf_is_stream(each):
            found.drawings.append(xref)
        letters = values_of(mupdf.pdf_dict_gets(each, "CharProcs"), seen)
        todo += [("", letter) for _, letter in letters]
        todo += named_in(mupdf.pdf_dict_gets(each, "Resources"), seen)
    return found


def is_shown(document: pymupdf.Document, index: int, xref: int) -> bool:
    """Whether the page may show a picture: its drawing operators use the picture's name.

    To be named in the page's resources is not enough: many programs name all pictures on all pages.
    """
    found, shown = sources_of(document, index), set[int]()
    taken_in = {each for _, each in found.named}
    todo = [
        *document[index].get_contents(),
        *(each for each in found.drawings if each not in taken_in),
    ]
    while todo:
        drawn = document.xref_stream(todo.pop()) or b""
        for name, each in found.named:
            if each not in shown and has_name(drawn, name):
                shown.add(each)
                todo += [each] * (each in found.drawings)
    return xref in shown or xref not in taken_in


def has_name(drawn: bytes, name: str) -> bool:
    """Whether drawing operators use a name; assume it if odd letters allow several spellings."""
    return not name.isalnum() or bool(re.search(rb"/%s(?![A-Za-z0-9#])" % name.encode(), drawn))


def is_new(each: mupdf.PdfObj, seen: set[int]) -> bool:
    """Whether we see an object for the first time: objects may be shared, or form a circle."""
    xref = mupdf.pdf_to_num(each)
    is_known = xref in seen
    seen |= {xref} - {0}
    return not is_known


def named_in(resources: mupdf.PdfObj, seen: set[int]) -> Iterator[tuple[str, mupdf.PdfObj]]:
    """Yield what these resources name; the letters of a font that is drawn are found later.

    XObjects come with their names, because drawing operators use them by name; the rest with "".
    """
    if not is_new(resources, seen):
        return
    yield from values_of(mupdf.pdf_dict_gets(resources, "XObject"), seen)
    for kind in ("Pattern", "Font"):
        for _, each in values_of(mupdf.pdf_dict_gets(resources, kind), seen):
            yield "", each
    for _, state in values_of(mupdf.pdf_dict_gets(resources, "ExtGState"), seen):
        yield "", mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(state, "SMask"), "G")


def shown_of(annotations: mupdf.PdfObj) -> Iterator[mupdf.PdfObj]:
    """Yield what annotations look like: their current state, if they have several."""
    for each in range(mupdf.pdf_array_len(annotations)):
        annotation = mupdf.pdf_array_get(annotations, each)
        look = mupdf.pdf_dict_gets(mupdf.pdf_dict_gets(annotation, "AP"), "N")
        state = mupdf.pdf_dict_gets(annotation, "AS")
        yield look if mupdf.pdf_is_stream(look) else mupdf.pdf_dict_get(look, state)


def values_of(entries: mupdf.PdfObj, seen: set[int]) -> list[tuple[str, mupdf.PdfObj]]:
    """Return the names and values of a dictionary; nothing if we have seen it before."""
    if not is_new(entries, seen):
        return []
    return [
        (
            mupdf.pdf_to_name(mupdf.pdf_dict_get_key(entries, at)),
            mupdf.pdf_dict_get_val(entries, at),
        )
        for at in range(mupdf.pdf_dict_len(entries))
    ]


def filters_of(stream: mupdf.PdfObj) -> tuple[str, ...]:
    """Return the names of a stream's filters, in the order in which they unpack it."""
    filters = mupdf.pdf_dict_gets(stream, "Filter")
    if not mupdf.pdf_is_array(filters):
        return tuple(filter(None, [mupdf.pdf_to_name(filters)]))
    names = (mupdf.pdf_array_get(filters, at) for at in range(mupdf.pdf_array_len(filters)))
    return tuple(map(mupdf.pdf_to_name, names))


def is_cmyk(picture: mupdf.PdfObj) -> bool:
    """Whether a picture has four channels, without loading it."""
    colours = mupdf.pdf_dict_gets(picture, "ColorSpace")
    profile = mupdf.pdf_array_get(colours, 1)
    has_four = mupdf.pdf_to_int(mupdf.pdf_dict_gets(profile, "N")) == CMYK_CHANNELS
    return bool(mupdf.pdf_to_name(colours) == "DeviceCMYK" or has_four)


def packed_picture(document: pymupdf.Document, xref: int) -> bytes:
    """Return a picture's data as its own filter packed it, without the filters around that."""
    pdf = mupdf.pdf_document_from_fz_document(document)
    kept = mupdf.pdf_load_compressed_stream(pdf, xref, 0)
    buffer = mupdf.FzBuffer(mupdf.ll_fz_keep_buffer(kept.m_internal.buffer))
    return bytes(buffer.fz_buffer_extract_copy())


def stored_image(document: pymupdf.Document, xref: int) -> mupdf.FzImage:
    """Return a picture as MuPDF knows it before decoding its pixels."""
    pdf = mupdf.pdf_document_from_fz_document(document)
    return mupdf.pdf_load_image(pdf, mupdf.pdf_new_indirect(pdf, xref, 0))
