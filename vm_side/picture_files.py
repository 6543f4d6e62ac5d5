"""The files of a page's Picture cells: in which form they are wanted, and how they are named.

Both sides use this file, as they use contract.py.
"""

import re
from pathlib import PurePosixPath

AS_FILES, INLINE, LEFT_OUT = PICTURE_FORMS = ("files", "inline", "none")
ANY_FORM = "any"  # for a page without a Picture cell: it is right in every form
PICTURES_FOLDER = "pictures"
PICTURE_NAME = re.compile(r"(?:(page_[0-9]{1,9})_)?([1-9][0-9]{0,5})\.(?:png|jpg)")


def is_pictured(pictures_as: str, wanted: str) -> bool:
    """Whether a page has its pictures in the wanted form; an older line is empty: inline."""
    return (pictures_as or INLINE) in (wanted, ANY_FORM)


def picture_name(page: str, number: int, ending: str = ".png") -> str:
    """Return the file name of a page's Picture cell; number counts from 1, in reading order.

    Before the number comes the result's name without the folder's name: nothing for page1/page1,
    "page_0_" for report/report_page_0, because that folder also has other pages' pictures.
    """
    path = PurePosixPath(page)
    rest = path.name.removeprefix(path.parent.name).removeprefix("_")
    return f"{rest}_{number}{ending}" if rest else f"{number}{ending}"


def picture_number(name: str) -> int:
    """Return which of its page's Picture cells a file shows; 0 if the name is not of that form."""
    found = PICTURE_NAME.fullmatch(PurePosixPath(name).name)
    return int(found[2]) if found else 0


def picture_path(page: str, name: str) -> str:
    """Return the path, below the results, of a file of one of the page's Picture cells."""
    return str(PurePosixPath(page).parent / PICTURES_FOLDER / name)


def picture_paths(page: str, names: object) -> list[str]:
    """Return the paths of a page's pictures, below the results, from the names in its line.

    They are sorted by number. The line may come from anywhere, so a name that no picture of this
    page can have is left out.
    """
    own = {
        name
        for name in (names if isinstance(names, list | tuple) else ())
        if isinstance(name, str)
        and (number := picture_number(name))
        and name == picture_name(page, number, name[-4:])
    }
    return [picture_path(page, n) for n in sorted(own, key=lambda n: (picture_number(n), n))]


def page_of_picture(path: str) -> str:
    """Return the result's path of the page whose picture this would be; empty if it is none."""
    place = PurePosixPath(path)
    found = PICTURE_NAME.fullmatch(place.name)
    folder = place.parent.parent
    if not found or place.parent.name != PICTURES_FOLDER or not folder.name:
        return ""
    return str(folder / (f"{folder.name}_{found[1]}" if found[1] else folder.name))
