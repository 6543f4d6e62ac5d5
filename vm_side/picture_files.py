"""The files of a page's Picture cells: the form in which they are wanted, and what they are called.

For both sides, as contract.py is.
"""

import re
from pathlib import PurePosixPath

AS_FILES, INLINE, LEFT_OUT = PICTURE_FORMS = ("files", "inline", "none")
ANY_FORM = "any"  # of a page without a Picture cell: it is right in each form
PICTURES_FOLDER = "pictures"
PICTURE_NAME = re.compile(r"(?:(page_[0-9]{1,9})_)?([1-9][0-9]{0,5})\.(?:png|jpg)")


def is_pictured(pictures_as: str, wanted: str) -> bool:
    """Whether a page has its pictures in the wanted form; a line of before says nothing: inline."""
    return (pictures_as or INLINE) in (wanted, ANY_FORM)


def picture_name(page: str, number: int, ending: str = ".png") -> str:
    """What the file of a page's Picture cell is called; they are counted from 1, in reading order.

    Before the number stands the result's name without the folder's own: nothing for page1/page1,
    "page_0_" for report/report_page_0, whose folder has other pages' pictures, too.
    """
    path = PurePosixPath(page)
    rest = path.name.removeprefix(path.parent.name).removeprefix("_")
    return f"{rest}_{number}{ending}" if rest else f"{number}{ending}"


def picture_number(name: str) -> int:
    """Which of its page's Picture cells a file shows; 0: it is no such file."""
    found = PICTURE_NAME.fullmatch(PurePosixPath(name).name)
    return int(found[2]) if found else 0


def picture_path(page: str, name: str) -> str:
    """Where a file of one of its Picture cells stands, below the results."""
    return str(PurePosixPath(page).parent / PICTURES_FOLDER / name)


def picture_paths(page: str, names: object) -> list[str]:
    """Where a page's pictures stand, below the results, by their names in its line, in order.

    The line may come from anywhere: what is no name of a picture of this page is left out.
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
    """Whose picture a file of this path would be, as a result's path; empty: nobody's."""
    place = PurePosixPath(path)
    found = PICTURE_NAME.fullmatch(place.name)
    folder = place.parent.parent
    if not found or place.parent.name != PICTURES_FOLDER or not folder.name:
        return ""
    return str(folder / (f"{folder.name}_{found[1]}" if found[1] else folder.name))
