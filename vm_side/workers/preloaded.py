"""Imported by the process that workers are forked from, and by nothing else.

It loads the model that sees which way is up, and the witnesses, so that all workers share them. The
model alone would take 30 MiB in each worker. It starts no threads, because a fork would lose them.
"""

import contextlib
from encodings import utf_16_le as utf_16_le  # used to find lone surrogates in a text

with contextlib.suppress(ImportError):  # pages then note that they were not looked at
    from numpy import ma as ma  # numpy's median loads it at its first use

    from picture import looks as looks
    from picture import orientation
    from picture.pdf import text_layer as text_layer
    from trust import witnesses as witnesses

    orientation.session()
