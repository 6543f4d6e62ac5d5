"""Parts of messages that users meet; docs/troubleshooting.md explains each under its own heading.

Both sides use this file. A … stands for what differs from message to message.
"""

import re

PAGE = "docs/troubleshooting.md"
TROUBLES = (
    # installing
    "is too old",
    "has no venv or no ensurepip",
    "the packages were not installed",
    # the account
    "no Google credentials",
    "no permission",
    "there is no VM",
    "quota:",
    "has had no such machine to give",
    "has no such machine to give now",
    "nothing is rented",
    # the way to the machine
    "does not let us in by ssh",
    "cannot be reached any more",
    "printed what nobody asked for",
    "pip could not",
    # the model server
    "does not run on",
    "that is not ours",
    "the model's container ended",
    "the model did not answer within",
    "nothing answers at",
    "needs its key",
    "sees … pictures in a prompt with one",
    "is not dots.ocr, or lacks its chat template",
    "has a context of",
    "changes its size",
    "were all refused",
    # files and settings
    "for one name",
    "files that are not ours",
    "pages and results of another VM",
    "kept next to what is new",
    "it is empty, and needs a value",
    "ignored, not needed here",
    # the end of a run
    "the machine is held by",
    "preempted, idle, or stopped",
    "the VM is on:",
    "IS STILL … AND BILLS",
    "MAY STILL RUN, AND BILL",
    "MAY STILL BE THERE, AND BILL",
    "keeps trying for",
    "has a startup script that is not ours",
    # workers
    "workers run",
    "the scheduler at … is gone",
)


def anchor(heading: str) -> str:
    """Return the anchor that GitHub makes from a heading, for links to it."""
    return re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-")


def explained(message: str) -> str:
    """Return a message, and where it is explained, if it is."""
    return f"{message} (see {where})" if (where := place(message)) else message


def place(message: str) -> str:
    """Return where a message is explained, by the first known part in it; empty if nowhere."""
    found = {}
    for trouble in TROUBLES:
        if at := re.search(".*".join(map(re.escape, trouble.split("…"))), message):
            found[at.start()] = trouble
    return f"{PAGE}#{anchor(found[min(found)])}" if found else ""
