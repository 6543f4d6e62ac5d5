"""Small files that would block a batch: they claim, or hold, more than anyone can draw."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

from PIL import Image

TREE = {1: "<</Type/Catalog/Pages 2 0 R>>", 2: "<</Type/Pages/Kids[3 0 R]/Count 1>>"}
PAGE = "/Type/Page/Parent 2 0 R/Contents 4 0 R"
A4 = "/MediaBox[0 0 595 842]"
SQUARE = "0 0 100 100 re f"


def stream(content: str, entries: str = "") -> str:
    """A stream object."""
    return f"<<{entries}/Length {len(content)}>>stream\n{content}\nendstream"


def write(path: Path, objects: dict[int, str], padding: int = 0) -> Path:
    """Write a PDF of these objects; MuPDF rebuilds the xref table. Padding makes it larger."""
    body = "".join(f"{n} 0 obj\n{text}\nendobj\n" for n, text in sorted(objects.items()))
    fill = f"%{'x' * padding}\n" if padding else ""
    trailer = f"trailer\n<</Size {max(objects) + 1}/Root 1 0 R>>\n%%EOF\n"
    path.write_bytes(f"%PDF-1.7\n{body}{fill}{trailer}".encode())
    return path


def good(path: Path) -> Path:
    """One page with something on it."""
    page = f"<<{PAGE}{A4}/Resources<<>>>>"
    return write(path, TREE | {3: page, 4: stream(SQUARE)})


def says_it_has(path: Path, count: int, padding: int = 0) -> Path:
    """A PDF that claims `count` pages, with only the objects that one page needs."""
    page = f"<<{PAGE}{A4}/Resources<<>>>>"
    tree = {2: f"<</Type/Pages/Kids[3 0 R]/Count {count}>>"}
    return write(path, TREE | tree | {3: page, 4: stream(SQUARE)}, padding)


def says_it_has_objects(path: Path, count: int) -> Path:
    """The same, with a table of `count` objects that is only a few bytes when compressed."""
    page = f"<<{PAGE}{A4}/Resources<<>>>>"
    tree = {2: f"<</Type/Pages/Kids[3 0 R]/Count {count}>>"}
    objects = TREE | tree | {3: page, 4: stream(SQUARE)}
    data, places = b"%PDF-1.7\n", {}
    for number, text in sorted(objects.items()):
        places[number] = len(data)
        data += f"{number} 0 obj\n{text}\nendobj\n".encode()
    places[5] = len(data)
    rows = b"".join(
        (b"\1" if n in places else b"\0") + places.get(n, 0).to_bytes(4, "big") + b"\0"
        for n in range(count + 10)
    )
    packed = zlib.compress(rows, 9)
    entries = f"/Type/XRef/W[1 4 1]/Size {count + 10}/Root 1 0 R/Filter/FlateDecode"
    head = f"5 0 obj\n<<{entries}/Length {len(packed)}>>stream\n".encode()
    tail = f"\nendstream\nendobj\nstartxref\n{places[5]}\n%%EOF\n".encode()
    path.write_bytes(data + head + packed + tail)
    return path


def one_page_many_times(path: Path, depth: int, padding: int = 0) -> Path:
    """A page tree that repeats one branch: 10 ** depth pages of one page object."""
    objects = {1: TREE[1]}
    for level in range(depth):
        number = 2 if level == 0 else 10 + level
        child = 3 if level == depth - 1 else 11 + level
        kids = f"{child} 0 R " * 10
        objects[number] = f"<</Type/Pages/Kids[{kids}]/Count {10 ** (depth - level)}>>"
    objects |= {3: f"<<{PAGE}{A4}/Resources<<>>>>", 4: stream(SQUARE)}
    return write(path, objects, padding)


def never_drawn(path: Path, pages: int = 1, padding: int = 0) -> Path:
    """Forms that draw forms that draw forms, ten times each: 10 ** 9 of them on each page."""
    kids = " ".join(f"{100 + n} 0 R" for n in range(pages))
    objects = TREE | {2: f"<</Type/Pages/Kids[{kids}]/Count {pages}>>", 4: stream("/F0 Do")}
    for n in range(pages):
        objects[100 + n] = f"<<{PAGE}{A4}/Resources<</XObject<</F0 10 0 R>>>>>>"
    form = "/Type/XObject/Subtype/Form/BBox[0 0 600 850]"
    for n in range(10, 18):
        inner = f"{form}/Resources<</XObject<</F0 {n + 1} 0 R>>>>"
        objects[n] = stream("/F0 Do " * 10, inner)
    objects[18] = stream(SQUARE, form)
    return write(path, objects, padding)


def tiled_for_ever(path: Path) -> Path:
    """A pattern with tiles at a distance of a thousandth of a point."""
    pattern = "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]"
    page = f"<<{PAGE}{A4}/Resources<</Pattern<</P0 10 0 R>>>>>>"
    tile = stream("0 0 0.5 0.5 re f", f"{pattern}/XStep 0.001/YStep 0.001/Resources<<>>")
    content = stream("/Pattern cs /P0 scn 0 0 595 842 re f")
    return write(path, TREE | {3: page, 4: content, 10: tile})


def groups(path: Path, count: int = 60) -> Path:
    """Nested transparent groups. Each needs a page of memory, about 80 MB in all."""
    state = "/ExtGState<</G 5 0 R>>"
    page = f"<<{PAGE}/MediaBox[0 0 1620 1620]/Resources<<{state}/XObject<</F0 10 0 R>>>>>>"
    objects = TREE | {3: page, 4: stream("/G gs /F0 Do")}
    objects[5] = "<</Type/ExtGState/BM/Multiply/ca 0.9/CA 0.9>>"
    form = "/Type/XObject/Subtype/Form/BBox[0 0 1620 1620]"
    group = "/Group<</S/Transparency/I true/K false/CS/DeviceRGB>>"
    for n in range(10, 10 + count):
        inner = f"{form}{group}/Resources<<{state}/XObject<</F0 {n + 1} 0 R>>>>"
        objects[n] = stream("/G gs 1 0 0 rg 0 0 50 50 re f /F0 Do", inner)
    objects[10 + count] = stream(SQUARE, form)
    return write(path, objects)


def damaged_pages(path: Path, count: int) -> Path:
    """Pages with an impossible size: each can be opened, and none can be read."""
    kids = " ".join(f"{100 + n} 0 R" for n in range(count))
    objects = TREE | {2: f"<</Type/Pages/Kids[{kids}]/Count {count}>>", 4: stream(SQUARE)}
    for n in range(count):
        objects[100 + n] = f"<<{PAGE}/MediaBox[0 0 14000 20]/Resources<<>>>>"
    return write(path, objects)


def slow_jpeg(path: Path, side: int, scans: int) -> Path:
    """A progressive JPEG that repeats its last scan: each copy is decoded in full."""
    file = io.BytesIO()
    Image.new("L", (side, side), 200).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    start = data.rindex(b"\xff\xda")
    path.write_bytes(data[:start] + data[start:-2] * scans + b"\xff\xd9")
    return path


def large_png(path: Path, side: int = 13_300, mode: str = "RGB") -> Path:
    """An honest file: hundreds of MiB once decoded. A line across it keeps it from being blank."""
    image = Image.new(mode, (side, side), "white")
    image.paste("red" if mode == "RGB" else 0, (0, side // 2, side, side // 2 + 40))
    image.save(path, compress_level=1)
    return path
