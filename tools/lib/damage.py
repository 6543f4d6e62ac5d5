"""The errors that the libraries for pictures raise for a damaged file."""

import struct
import zlib

from PIL import Image

UNREADABLE = (
    *(OSError, EOFError, RuntimeError, SyntaxError, ValueError, TypeError, LookupError),
    *(ArithmeticError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
