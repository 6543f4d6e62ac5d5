"""Text for XML, which Word, Excel and others use: some characters are not allowed in it."""

import re

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Replace each character that XML forbids by U+FFFD, the sign for an unknown character."""
    return FORBIDDEN.sub("\ufffd", text)
