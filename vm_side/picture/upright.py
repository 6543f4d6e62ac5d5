"""Which way is up: pages that were scanned sideways or upside down are turned."""

from PIL import Image

from picture.images import OWN_SIZE


def turned(page: Image.Image, degrees: int) -> Image.Image:
    """The page turned clockwise, by quarters."""
    if not degrees:
        return page
    upright = page.rotate(-degrees, expand=True)  # Pillow turns the other way
    if OWN_SIZE in page.info and upright.size != page.size:
        upright.info[OWN_SIZE] = page.info[OWN_SIZE][::-1]
    return upright


def degrees_wanted(page: Image.Image, rotate: str) -> int | None:
    """By how many degrees clockwise a page is to be turned; None if this cannot be looked for.

    rotate says it, unless it is "auto".
    """
    if rotate != "auto":
        return int(rotate)
    try:
        from picture import looks, orientation  # noqa: PLC0415 - packages of before lack theirs
    except ImportError:
        return None
    return looks.degrees_to_upright(page, orientation.ask)
