"""A job that runs elsewhere: its start, its log, its progress, its end."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from lib.console import Failure, beside_bar, is_watched, say_above_bar
from lib.machines.ssh.shell import script_of

JOB_CONTAINER = "dots-ocr-job"
POLL_S = 2.0
POLITE_END_S = 30  # for a job that is told to end
END_SCRIPT = (  # an orderly end, so that its manifest is complete
    f"docker stop -t {POLITE_END_S} {JOB_CONTAINER} >/dev/null 2>&1;"
    f" flock --timeout {POLITE_END_S} .dots-ocr/job.lock true"
)


def start_script(words: Sequence[str]) -> str:
    """Return shell that starts job.sh detached, with these words, and ends when it has begun."""
    return (
        "before=$(cat .dots-ocr/job.json 2>/dev/null);"
        f" setsid nohup bash vm_side/machine/job.sh {script_of(*words)}"
        " >.dots-ocr/launch.log 2>&1 </dev/null &"
        " for i in $(seq 100); do sleep 0.1;"
        ' [ "$(cat .dots-ocr/job.json 2>/dev/null)" = "$before" ] || exit 0; done;'
        " cat .dots-ocr/launch.log >&2; exit 1"
    )


def follow(look: Callable[[int], dict[str, Any]], now_and_then: Callable[[], None]) -> int:
    """Show a job until it ends, and return its exit code.

    look(log_from) gives what vm_side/machine/status.py sees.
    """
    log_to, before = 0, None
    with tqdm(unit="page", dynamic_ncols=True, disable=not is_watched()) as bar:
        while True:
            seen = look(log_to)
            job, progress = seen["job"], seen["progress"]
            if job.get("log"):
                say_above_bar(job["log"].rstrip("\n"))
                log_to = job["log_to"]
            if progress:
                bar.total, bar.n = progress["pages"], progress["done"]
                before = bar.n if before is None else before  # says nothing about the rate
                bar.initial = before
                bar.set_postfix(beside_bar(progress), refresh=True)
            if job.get("running"):
                now_and_then()
                time.sleep(POLL_S)
            elif not job.get("log"):  # a look shows only a part of the log: is there more?
                return exit_code(job)


def exit_code(job: dict[str, Any]) -> int:
    """The exit code of a job that has ended."""
    code = job.get("code")
    if code is None:
        raise Failure("the job ended and said nothing: was the machine off?", "make process")
    return int(code)


def describe_job(job: dict[str, Any]) -> str:
    """Describe the job in a few words."""
    if not job:
        return "none yet"
    if job.get("running"):
        since = time.strftime("%H:%M:%S", time.localtime(job["started"]))
        return f"running since {since}"
    code = job.get("code")
    return "ended and said nothing" if code is None else f"ended with {code}"


def describe_fleet(counts: Mapping[str, Any]) -> str:
    """Describe what the scheduler knows, in a few words."""
    workers, pages = (counts.get(name, 0) for name in ("workers", "processing"))
    return f"{workers} workers connected, {pages} pages given to them"
