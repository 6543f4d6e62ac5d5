"""What a machine knows about itself, as one JSON object: model server, GPU, job, pages.

It runs with the machine's own python3 and only its standard library, in vm_side/:
`python3 -m machine.status`. Its options: the endpoint's URL, the name of the model's container, and
the byte from which to show the job's log.
"""

import argparse
import base64
import calendar
import fcntl
import json
import os
import struct
import subprocess
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from machine.loading import LAST, now_in, parts_in

DASHBOARD = "http://127.0.0.1:8787"
HOME = Path.home()
STATE = HOME / ".dots-ocr"
KEY = STATE / "api-key"  # the model server's key, if it wants one
SAMPLING = {  # as for a page (answer/ladder.py, server/request.py): the first request compiles
    "temperature": 0.1,
    "top_p": 0.9,
    "repetition_detection": {"min_pattern_size": 1, "max_pattern_size": 128, "min_count": 200},
}
LOG_BYTES = 64_000
LOG_LINES = 15
DYING_S = 60  # seconds before a container's end in which its last words may come
INSPECTED = (
    "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}"
    " {{.State.StartedAt}} {{.State.FinishedAt}}"
)
LAST_START = STATE / "model-start.json"  # how long the parts of the model's last start took
START_BYTES = 2_000_000  # of its log: a start is told in them, and requests come after it
ODD = (  # what is raised if something is away, or says something unexpected
    *(OSError, ValueError, KeyError, IndexError, TypeError),
    RecursionError,  # JSON that is nested too deep
)


def main() -> None:
    """Print the object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--endpoint", required=True)
    options.add_argument("--container", required=True)
    options.add_argument("--log-from", type=int, default=0)
    options.add_argument("--ask", action="store_true", help="also ask the model one tiny thing")
    given = options.parse_args()
    model, fault = served_model(given.endpoint)
    seen = container(given.container)
    loading = start(given.container, seen, is_over=bool(model))
    if model and given.ask:
        fault = answer_fault(given.endpoint, model)
        model = "" if fault else model
    status = {
        "model": model,
        "model_fault": fault,
        "container": seen,
        "start": loading,
        "gpus": gpus(),
        "fleet": fleet(),
        "job": job(given.log_from),
        "progress": progress(),
    }
    print(json.dumps(status))


def served_model(endpoint: str) -> tuple[str, str]:
    """Return (the model's name, "") once the server answers, else ("", why not)."""
    try:
        check_health(endpoint)
        return json.loads(fetch(f"{endpoint}/v1/models"))["data"][0]["id"], ""
    except ODD as error:
        return "", said_by(error)


def check_health(endpoint: str) -> None:
    """Raise OSError if the server is not healthy. A server without /health may be healthy."""
    try:
        fetch(f"{endpoint}/health")
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise


def answer_fault(endpoint: str, model: str) -> str:
    """Ask for one token about a picture of 28 x 28 pixels. Return what went wrong, if anything."""
    try:
        answer = fetch(f"{endpoint}/v1/chat/completions", tiny_question(model))
        json.loads(answer)["choices"][0]["message"]
    except ODD as error:
        return said_by(error)
    return ""


def tiny_question(model: str) -> dict[str, object]:
    """Return the body of the tiny request."""
    picture = base64.b64encode(white_png(28)).decode()
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
        {"type": "text", "text": "<|img|><|imgpad|><|endofimg|>Extract the text content."},
    ]
    messages = [{"role": "user", "content": content}]
    return {"model": model, "messages": messages, "max_completion_tokens": 1, **SAMPLING}


def said_by(error: Exception) -> str:
    """Return what went wrong, with the server's own words, but never with the key."""
    text = str(error)
    if isinstance(error, urllib.error.HTTPError):
        words = error.read(100_000).decode("utf-8", "replace")
        key = api_key()
        text = f"HTTP {error.code} {words.replace(key, '***') if key else words}"
    return text[:300].strip()


def api_key() -> str:
    """Return the key that our client left here; empty if there is none."""
    try:
        return KEY.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def fetch(url: str, body: object = None) -> bytes:
    """Send a GET, or a POST of JSON, and return the answer. Never uses a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if key := api_key():
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, data, headers)
    with opener.open(request, timeout=60 if body else 5) as response:
        content: bytes = response.read()
    return content


def white_png(side: int) -> bytes:
    """Return a white grayscale PNG of side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = (b"\0" + b"\xff" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def container(name: str) -> dict[str, object]:
    """Return state, exit code, restarts, start and last log lines of a container; {} if none.

    died has its last lines before docker started it again.
    """
    state = output(["docker", "inspect", "--format", INSPECTED, name]).split()
    if len(state) != 5:
        return {}
    restarts, started, ended = int(state[2]), state[3], state[4]
    return {
        "state": state[0],
        "exit_code": int(state[1]),
        "restarts": restarts,
        "started": started,
        "log": logged(name, "--tail", str(LOG_LINES)),
        "died": last_words(name, ended, started) if restarts else "",
    }


def last_words(name: str, ended: str, started: str) -> str:
    """Return a container's last lines before it ended and was started again, at `started`."""
    times = ("--since", str(unix_s(ended) - DYING_S), "--until", started)
    return "\n".join(logged(name, *times).split("\n")[-LOG_LINES:])


def logged(name: str, *which: str) -> str:
    """Return what a container has said."""
    command = ["docker", "logs", *which, name]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace").rstrip()


def unix_s(time_of_docker: str) -> int:
    """Turn docker's 2026-11-26T05:14:29.5Z into Unix seconds."""
    return calendar.timegm(time.strptime(time_of_docker[:19], "%Y-%m-%dT%H:%M:%S"))


def start(name: str, seen: dict[str, object], is_over: bool) -> dict[str, object]:
    """Return how the model's start goes or went: seconds of its parts, and of the start before.

    What is known about a start that is over is kept, since the log of a working model is long.
    """
    started = str(seen.get("started", ""))
    if seen.get("state") != "running":
        return {}
    kept = read_json(LAST_START)
    if kept.get("started") == started:
        return {"parts": kept.get("parts"), "now": ""}
    parts = parts_in(first_words(name, started))
    if is_over:
        keep({"started": started, "parts": parts})
        return {"parts": parts, "now": ""}
    parts.pop(LAST, None)  # even if its log says so: it does not answer yet
    age_s = round(time.time() - unix_s(started))
    return {"parts": parts, "now": now_in(parts), "age_s": age_s, "before": kept.get("parts")}


def first_words(name: str, started: str) -> str:
    """Return the beginning of what a container has said since it was started at this time."""
    command = ["docker", "logs", "--since", started, name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        words = process.stdout.read(START_BYTES)
        process.kill()
    return words.decode("utf-8", "replace")


def keep(last_start: dict[str, object]) -> None:
    """Write the last start down for later calls. If that fails, each of them reads the log."""
    part = LAST_START.with_suffix(f".{os.getpid()}")
    try:
        part.write_text(json.dumps(last_start), encoding="utf-8")
        part.replace(LAST_START)
    except OSError:
        part.unlink(missing_ok=True)


def fleet() -> dict[str, object]:
    """Return what the scheduler counts: workers, and pages as "processing"; {} if there is none."""
    try:
        counts = json.loads(fetch(f"{DASHBOARD}/json/counts.json"))
    except ODD:
        return {}
    return counts if isinstance(counts, dict) else {}


def gpus() -> list[str]:
    """Return used and total memory of each GPU, as nvidia-smi prints it; empty without it."""
    query = ["nvidia-smi", "--query-gpu=memory.used,memory.total", "--format=csv,noheader"]
    return output(query).splitlines()


def output(command: list[str]) -> str:
    """Return what a command prints; empty if it fails or does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def job(log_from: int) -> dict[str, object]:
    """Return the last job: whether it runs, its exit code, and its log from byte log_from on."""
    running = is_locked(STATE / "job.lock")  # first, so that all of a job that has ended is final
    state = read_json(STATE / "job.json")
    if not state:
        return {}
    try:
        with (STATE / "job.log").open("rb") as log:
            log.seek(log_from)
            text = log.read(LOG_BYTES)
    except FileNotFoundError:
        text = b""
    if running and len(text) < LOG_BYTES:
        text = text[: text.rfind(b"\n") + 1]  # an unfinished line comes later, as a whole
    return {
        **state,
        "running": running,
        "log": text.decode("utf-8", "replace"),
        "log_to": log_from + len(text),
    }


def progress() -> dict[str, object]:
    """Return the last job's progress: from its results, or from where a fleet's manifest grows."""
    found = [HOME / folder / ".progress.json" for folder in ("result", "trial-result")]
    found += STATE.glob("fleet-*/.progress.json")
    there = [path for path in found if path.exists()]
    return read_json(max(there, key=lambda path: path.stat().st_mtime)) if there else {}


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock."""
    try:
        with path.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def read_json(path: Path) -> dict[str, object]:
    """Read a small JSON file; {} if it does not exist or is torn."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ODD:
        return {}
    return content if isinstance(content, dict) else {}


if __name__ == "__main__":
    main()
