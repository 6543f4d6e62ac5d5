"""What the libraries that open pictures raise for a file that is not as it should be."""

import struct
import zlib

from PIL import Image

UNREADABLE = (
    *(OSError, EOFError, RuntimeError, SyntaxError, ValueError, TypeError, LookupError),
    *(ArithmeticError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
