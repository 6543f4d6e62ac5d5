"""Find which way is up, and turn pages that were scanned sideways or upside down."""

from PIL import Image

from picture.images import OWN_SIZE


def turned(page: Image.Image, degrees: int) -> Image.Image:
    """Turn the page clockwise by 0, 90, 180 or 270 degrees."""
    if not degrees:
        return page
    upright = page.rotate(-degrees, expand=True)  # Pillow turns the other way
    if OWN_SIZE in page.info and upright.size != page.size:
        upright.info[OWN_SIZE] = page.info[OWN_SIZE][::-1]
    return upright


def degrees_wanted(page: Image.Image, rotate: str) -> int | None:
    """Return by how many degrees clockwise to turn a page: rotate, or what "auto" finds.

    None if "auto" cannot run because packages are missing.
    """
    if rotate != "auto":
        return int(rotate)
    try:
        from picture import looks, orientation  # noqa: PLC0415 - an older setup may lack packages
    except ImportError:
        return None
    return looks.degrees_to_upright(page, orientation.ask)
