"""NOTIFY: tell how make all has ended, to a URL or by a command. It never changes that end.

A URL holds a secret, and a command's words may hold one: neither is ever printed.
"""

import contextlib
import json
import os
import queue
import shlex
import signal
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import click

from contract import STATUSES, ExitCode, secret_in
from lib.console import say
from lib.knobs import Knobs

PATIENCE_S = 30.0
SCHEMES = ("http://", "https://")
MEANINGS: dict[int, str] = {
    ExitCode.OK: "done",
    ExitCode.PAGES_FAILED: "some pages are not read: run again",
    ExitCode.INTERRUPTED: "interrupted",
}


def target_of(knobs: Knobs) -> str:
    """Return the URL or the command; empty if nobody is told. Raises click.UsageError."""
    if knobs.notify or not knobs.notify_file:
        target = knobs.notify
    elif knobs.notify_file.startswith(SCHEMES):
        raise click.UsageError(
            "NOTIFY_FILE is the path of a file that has the URL, not the URL itself"
        )
    else:
        try:
            target = secret_in(knobs.notify_file, "NOTIFY_FILE").strip()
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    try:
        if not is_url(target):
            shlex.split(target)
        is_fit = target.isprintable()
    except ValueError:
        is_fit = False
    if not is_fit:
        raise click.UsageError("NOTIFY is neither a URL of http or https nor a command on one line")
    return target


def is_url(target: str) -> bool:
    """Whether it is a URL, rather than a command. Raises ValueError for a broken URL."""
    is_one = target.startswith(SCHEMES)
    if is_one and not urllib.parse.urlsplit(target).hostname:
        raise ValueError
    return is_one


def tell(target: str, text: str, code: int, summary: Mapping[str, Any]) -> None:
    """Tell somebody, once, and say so if that failed."""
    if not target:
        return
    summary = summary if can_be_sent(summary) else {}
    fault = post(target, text, code, summary) if is_url(target) else call(target, text, summary)
    if fault:
        say(f"make all: NOTIFY failed: {fault}")


@contextlib.contextmanager
def told_of_failure(target: str) -> Iterator[None]:
    """Tell it, too, if make all fails before it begins."""
    try:
        yield
    except (click.ClickException, OSError) as error:  # a full disk, say
        why, code = getattr(error, "message", str(error)), getattr(error, "exit_code", None)
        text = "\n".join((f"make all failed: {why}", *getattr(error, "__notes__", ())))
        tell(target, text, code or ExitCode.FAILED, {})
        raise


def closing(code: int, summary: Mapping[str, Any], money: str, alarm: str) -> str:
    """Return what is told: how it ended, pages by status, the money, and what may still bill."""
    counts = ", ".join(f"{summary[name]:,} {name}" for name in STATUSES if is_some(summary, name))
    lines = (f"make all: {MEANINGS.get(code, f'failed ({code})')}", counts, money, alarm)
    return "\n".join(filter(None, lines))


def is_some(summary: Mapping[str, Any], name: str) -> bool:
    """Whether the summary counts any; a machine may have written anything there."""
    count = summary.get(name)
    return type(count) is int and count > 0


def can_be_sent(summary: Mapping[str, Any]) -> bool:
    """Whether the summary can be written as JSON: a machine may have put inf into it, say."""
    try:
        json.dumps(summary, allow_nan=False, indent=2)
    except (ValueError, RecursionError):
        return False
    return True


def post(url: str, text: str, code: int, summary: Mapping[str, Any]) -> str:
    """POST it, and wait at most PATIENCE_S seconds; return what went wrong, or nothing.

    This takes a thread, which we then leave alone, because no timeout of requests holds for the
    whole call: it leaves out the look-up of the name, and an answer that comes in drops.
    """
    faults = queue.SimpleQueue[str]()
    threading.Thread(
        target=lambda: faults.put(posted(url, text, code, summary)), daemon=True
    ).start()
    try:
        return faults.get(timeout=PATIENCE_S)
    except queue.Empty:
        return f"{urllib.parse.urlsplit(url).hostname}: took longer than {PATIENCE_S:g} s"


def posted(url: str, text: str, code: int, summary: Mapping[str, Any]) -> str:
    """POST it as JSON; return what went wrong, or nothing.

    Slack and Mattermost show `text`, Discord shows `content`.
    """
    import requests  # noqa: PLC0415 - a tenth of a second, and few are told by a URL

    body = {"text": text, "content": text, "code": code, "summary": summary}
    host = urllib.parse.urlsplit(url).hostname
    try:
        # it follows no redirect: nobody has named its target
        # it does not read the answer: that could take for ever
        response = requests.post(
            url, json=body, timeout=PATIENCE_S, allow_redirects=False, stream=True
        )
        response.close()
    except (requests.RequestException, ValueError) as error:  # its words hold the URL
        return f"{host}: {type(error).__name__}"
    return "" if response.ok and not response.is_redirect else f"{host}: {response.status_code}"


def call(command: str, text: str, summary: Mapping[str, Any]) -> str:
    """Run it with the text, then summary.json, on its stdin; return what went wrong, or nothing."""
    words = shlex.split(command)
    shown = f"{text}\n\n{json.dumps(summary, ensure_ascii=False, indent=2)}\n"
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return f"the command cannot be run ({getattr(error, 'strerror', None) or 'a wrong word'})"
    try:
        process.communicate(shown.encode("utf-8", "replace"), PATIENCE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"the command took longer than {PATIENCE_S:g} s"
    return f"the command ended with {process.returncode}" if process.returncode else ""
