"""How far a batch is, for Prometheus: a text file next to the results, and a port that shows it.

The file's name has the ending that node_exporter's textfile collector wants.
"""

import contextlib
import http.server
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

METRICS = ".metrics.prom"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HERE = "127.0.0.1"


@dataclass(frozen=True)
class Metric:
    """One metric: what it is, and its values by label; a value without a label has the key ""."""

    name: str
    kind: str
    text: str
    values: Mapping[str, float]
    label: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        lines = [f"# HELP {self.name} {self.text}", f"# TYPE {self.name} {self.kind}"]
        for of, value in self.values.items():
            labels = f'{{{self.label}="{of}"}}' if self.label else ""
            lines.append(f"{self.name}{labels} {value!r}")
        return "".join(f"{line}\n" for line in lines)


@contextlib.contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """Show the folder's file on a port of 127.0.0.1, or nowhere if port is 0.

    Yields why it cannot be shown, or nothing if it can. Pages are read in any case.
    """
    if not port:
        yield ""
        return
    (folder / METRICS).unlink(missing_ok=True)  # it is from the last run
    try:
        server = Shown(folder / METRICS, port)
    except OSError as error:
        why = error.strerror or error
        yield f"METRICS_PORT={port}: {why}: the metrics are only in {METRICS}"
        return
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield ""
        finally:
            server.shutdown()
            thread.join()


class Shown(http.server.ThreadingHTTPServer):
    """A server that shows a file at /metrics of a port."""

    def __init__(self, file: Path, port: int) -> None:
        self.file = file
        super().__init__((HERE, port), Asked)


class Asked(http.server.BaseHTTPRequestHandler):
    """One connection."""

    server: Shown
    timeout = 10.0

    def do_GET(self) -> None:
        """Send the file as it is now; 404 for any other path, and while there is no file."""
        try:
            content = self.server.file.read_bytes() if self.path == "/metrics" else None
        except FileNotFoundError:
            content = None
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: one request a minute is not worth a line."""
