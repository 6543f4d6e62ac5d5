"""Text for XML, as Word, Excel and others keep it: some characters cannot stand in it."""

import re

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """A text with the sign for an unknown character wherever one is forbidden."""
    return FORBIDDEN.sub("\ufffd", text)
