"""A VM with a guard that counts short minutes, so that a test need not wait for long ones.

The guard itself is unchanged: its timer gets a drop-in, and a script replaces the VM's `find` and
divides the minutes that it is asked for.
"""

from __future__ import annotations

from rig.cloud.vm import Vm

FIND = """#!/bin/bash
words=() before=
for word; do
  case $before in
  -mmin | -amin) words+=("-$(awk "BEGIN {{ print ${{word#-}} * {minute_s} / 60 }}")") ;;
  *) words+=("$word") ;;
  esac
  before=$word
done
exec /usr/bin/find "${{words[@]}}"
"""
TIMER = """[Timer]
OnBootSec=
OnBootSec=1
OnUnitActiveSec={minute_s}
AccuracySec=100ms
"""


FIND_PATH = "/usr/local/sbin/find"
TIMER_PATH = "/etc/systemd/system/dots-ocr-idle.timer.d/rig.conf"
WRITE = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod 755 "$1"'


def shorten_minutes(vm: Vm, minute_s: float) -> None:
    """Make a minute of the VM's guard last so many seconds from now on."""
    for path, text in ((FIND_PATH, FIND), (TIMER_PATH, TIMER)):
        content = text.format(minute_s=minute_s)
        if vm.is_on:
            vm.run(WRITE, path, stdin=content)
        else:
            vm.path(path).parent.mkdir(parents=True, exist_ok=True)
            vm.path(path).write_text(content)
            vm.path(path).chmod(0o755)
    if vm.is_on:
        vm.run("systemctl daemon-reload && systemctl restart dots-ocr-idle.timer")


def lengthen_minutes(vm: Vm) -> None:
    """Make the minutes normal again; the VM must be off."""
    for path in (FIND_PATH, TIMER_PATH):
        vm.path(path).unlink(missing_ok=True)
