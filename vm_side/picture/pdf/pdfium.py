"""A second renderer, for pages that MuPDF does not draw whole: PDFium, the one of Chrome."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from picture.images import UnreadablePage, one_channel_if_gray


def drawn_by_pdfium(
    source: Path | bytes, index: int, scale_of: Callable[[float, float], float]
) -> Image.Image:
    """Draw a page, mode "L" or "RGB"; scale_of(width, height) returns the pixels a point.

    Raises UnreadablePage.
    """
    import pypdfium2  # noqa: PLC0415 - 60 ms, and hardly any page needs it

    try:
        with pypdfium2.PdfDocument(source) as document:
            document.init_forms()  # without it, text typed into a form is not drawn
            page = document[index]
            bitmap = page.render(scale=scale_of(*page.get_size()), rev_byteorder=True)
            picture = one_channel_if_gray(bitmap.to_pil().convert("RGB"))
            bitmap.close()
            return picture
    except (pypdfium2.PdfiumError, ValueError, IndexError, OSError) as error:
        raise UnreadablePage(str(error).rstrip(".")) from error
