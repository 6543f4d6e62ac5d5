"""Which decisions are mutated, and which tests must notice it."""

from dataclasses import dataclass, replace

Names = tuple[str, ...]
ALL: Names = ()


@dataclass(frozen=True)
class Room:
    """Files of one part of the project, and the tests (files or folders) that check them.

    For each file it names the functions and classes that decide. ALL means that the file does
    nothing else. Code that acts is never mutated: with another number, a signal would reach another
    process.
    """

    files: dict[str, Names]
    tests: Names

    def below(self, only: str) -> "Room | None":
        """The same room with only the files that begin with `only`; None if it has none."""
        files = {file: names for file, names in self.files.items() if file.startswith(only)}
        return replace(self, files=files) if files else None


def whole(folder: str, *names: str) -> dict[str, Names]:
    """Files of a folder that only decide."""
    return {f"{folder}/{name}.py": ALL for name in names}


def tests(folder: str, *names: str) -> Names:
    """Test files of a folder."""
    return tuple(f"{folder}/test_{name}.py" for name in names)


# Slow tests. Quicker tests check the same decisions.
SLOW = (
    *("200_kb", "anywhere", "noise", "no_time", "large_scan", "whatever_happens"),
    *("every_odd_picture", "gives_the_pixels", "flooded", "all_pages_differ", "pdf_stay_in"),
)
QUICK = f"not ({' or '.join(SLOW)})"

MARKDOWN = ("to_page", "markdown", "is_furniture", "block", "formula", "brings_its_own")
LATEX = ("mended", "mend_cell", "mend_mathematics", "doubled", "mathematics", "is_pair")
PLACES = ("read_load", "engines_in", "next_places")
SIZES = (
    *("check_size", "rows_of_band", "own_size", "is_blank", "is_even", "contrast"),
    *("smart_resize", "enlarged_size", "large_size", "is_capped", "model_picture"),
)
ALPHA = ("flattened", "without_alpha", "levels")
NAMES = (
    *("pages_of", "select", "result_names", "is_of_results", "blocked", "home_of", "by_folder"),
    *("alike", "fault_of_name", "Page"),
)
RECORDS = ("Record", "read_record", "load", "is_done")
HOLDER = (
    *("read_holder", "is_sound", "is_number", "is_stale", "end_from", "line_of", "Holder"),
    *("refuse_others", "refuse_if_lost"),
)
OF_LOCK = (
    *("who_is_gone", "who_may_use_the_machine", "a_line_of_an_older_version_holds_for_a_day"),
    *("a_line_that_names_nobody", "a_line_names_its_holder_until_when_it_holds"),
    "a_holder_cannot_speak_to_the_terminal",
)

ROOMS = (
    Room(
        whole("vm_side/answer", "boxes", "cells", "ladder", "loops", "pictures", "salvage")
        | whole("vm_side/answer", "texts")
        | {"vm_side/answer/layout.py": MARKDOWN, "vm_side/answer/escapes.py": LATEX},
        ("tests/vm_side/answer",),
    ),
    Room(
        whole("vm_side/server", "room", "verdicts") | {"vm_side/server/in_flight.py": PLACES},
        tests("tests/vm_side/server", "in_flight", "room", "verdicts"),
    ),
    Room(
        {"vm_side/picture/images.py": SIZES, "vm_side/picture/modes.py": ALPHA},
        tests("tests/vm_side/picture", "images", "modes"),
    ),
    Room(
        {"vm_side/results/pages.py": NAMES, "vm_side/results/manifest.py": RECORDS},
        tests("tests/vm_side/results", "pages", "manifest", "records"),
    ),
    Room(
        whole("vm_side/trust", "boxes", "doubts", "judging", "printed")
        | whole("vm_side/trust/text", "agreement", "compared", "folding")
        | whole("vm_side/trust/text", "layer_witness", "reader_witness"),
        tests("tests/vm_side/trust", "boxes", "judging", "printed", "agreement")
        + tests("tests/vm_side/trust", "layer_witness", "reader_witness"),
    ),
    Room(
        {"tools/lib/machines/lock.py": HOLDER},
        tuple(f"tests/tools/cloud/test_lock.py::test_{name}" for name in OF_LOCK),
    ),
    Room(
        {"tools/lib/steps.py": ("goes_on", "exit_code", "worst")},
        tests("tests/tools/lib", "steps"),
    ),
)
