"""Imported by the process that workers are forked from, and by nothing else.

It loads the model that sees which way is up, so that all workers share it: each for itself would
take 30 MiB more. The model has no threads, which a fork would lose.
"""

import contextlib

with contextlib.suppress(ImportError):  # pages then say that they were not looked at
    from picture import looks as looks
    from picture import orientation

    orientation.session()
