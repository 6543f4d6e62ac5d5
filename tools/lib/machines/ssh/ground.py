"""Who owns the folders in a machine's home; see lib.machines.ours."""

import os
from collections.abc import Collection

from lib.machines.ours import CODE, UNLISTED, Found, folders
from lib.machines.ssh.shell import Shell, script_of

MARKS = ".dots-ocr/ours"
IDENTITY = "stat -Lc %i.%W"  # with its time of birth: inode numbers are used again
TRACES = {"job": ".dots-ocr/job.json", "packages": ".dots-ocr/packages"}  # of an earlier version


class Home:
    """The home of the machine's user."""

    def __init__(self, shell: Shell) -> None:
        self.folders = (*folders(), CODE)
        self.name = shell.name
        self._shell = shell
        self._traces: set[str] = set()

    def marked(self) -> set[str]:
        """See Ground. Also looks for traces of an earlier version."""
        looks = [f"[ -e {path} ] && echo {word}" for word, path in TRACES.items()]
        looks += [
            f'id=$({IDENTITY} {name}) && [ "$(cat {MARKS}/{name})" = "$id" ] && echo {name}'
            for name in self.folders
        ]
        script = f"exec 2>/dev/null; [ -d {MARKS} ] && echo marks; {'; '.join(looks)}; :"
        said = self._shell.run(script).split()
        self._traces = set() if "marks" in said else TRACES.keys() & set(said)
        return set(self.folders) & set(said)

    def find(self, folder: str) -> Found:
        """See Ground."""
        was_used = ("packages" if folder == CODE else "job") in self._traces
        looks = f"[ ! -e {folder} ] || find {folder}/ -mindepth 1 ! -type d -printf '%P\\0'"
        done = self._shell.ask(looks)
        names = [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
        return Found(names + ([UNLISTED] if done.returncode else []), was_used)

    def mark(self, folders: Collection[str]) -> None:
        """See Ground."""
        names = sorted(folders)
        marks = [f"{IDENTITY} {name} >{MARKS}/{name}" for name in names]
        self._shell.run(" && ".join([script_of("mkdir", "-p", MARKS, *names), *marks]))
