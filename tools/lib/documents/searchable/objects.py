"""Write objects of a PDF, in PDF syntax."""

import pymupdf

MUPDF_ERRORS = (pymupdf.mupdf.FzErrorBase, RuntimeError)


def put(pdf: pymupdf.Document, words: str) -> int:
    """Add a new object, and return its number."""
    number: int = pdf.get_new_xref()
    pdf.update_object(number, words)
    return number


def put_stream(pdf: pymupdf.Document, data: bytes, keys: str = "") -> int:
    """Add a new object with data, which are deflated here, and return its number."""
    number = put(pdf, f"<<{keys}>>")
    pdf.update_stream(number, data)
    return number


def put_packed(pdf: pymupdf.Document, data: bytes, keys: str) -> int:
    """Add a new object with data that are already packed as its keys say; return its number."""
    number = put(pdf, f"<<{keys}>>")
    mupdf = pymupdf.mupdf
    content = mupdf.fz_new_buffer_from_copied_data(data)
    own = pymupdf._as_pdf_document(pdf)
    mupdf.pdf_update_stream(own, mupdf.pdf_new_indirect(own, number, 0), content, 1)
    return number


def name_font(page: pymupdf.Page, font: int, wanted: str) -> str:
    """Add a font to a page, and return its name there. The page's own fonts do not change."""
    mupdf, own = pymupdf.mupdf, pymupdf._as_pdf_document(page.parent)
    holder = page._pdf_page().obj()
    resources = mupdf.pdf_dict_get_inheritable(holder, mupdf.pdf_new_name("Resources"))
    if not mupdf.pdf_is_dict(resources):
        resources = mupdf.pdf_dict_put_dict(holder, mupdf.pdf_new_name("Resources"), 1)
    fonts = mupdf.pdf_dict_gets(resources, "Font")
    if not mupdf.pdf_is_dict(fonts):
        fonts = mupdf.pdf_dict_put_dict(resources, mupdf.pdf_new_name("Font"), 1)
    name, more = wanted, 0
    while (there := mupdf.pdf_dict_gets(fonts, name)).m_internal:
        if mupdf.pdf_to_num(there) == font:
            return name
        more += 1
        name = f"{wanted}{more}"
    mupdf.pdf_dict_puts(fonts, name, mupdf.pdf_new_indirect(own, font, 0))
    return name


def to_own_space(page: pymupdf.Page) -> pymupdf.Matrix:
    """Return the matrix from a page as shown (top left at 0) to the space of its operators."""
    box, matrix = pymupdf.mupdf.FzRect(), pymupdf.mupdf.FzMatrix()
    pymupdf.mupdf.pdf_page_transform(page._pdf_page(), box, matrix)
    shown = pymupdf.Matrix(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)
    return pymupdf.Matrix(~shown)
