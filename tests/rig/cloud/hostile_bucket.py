"""A bucket with objects of any name, for gcloud and gcsfs; it is read-only.

fake-gcs-server keeps objects as files, and so it changes such names.

    with hostile_bucket({"input/../../escaped.png": b"…"}) as url:
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google_crc32c import extend


class _Server(ThreadingHTTPServer):
    objects: Mapping[str, bytes]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(url.query).items()}
        bucket, _, rest = url.path.partition("/b/")[2].partition("/o")
        name = unquote(rest.removeprefix("/"))
        if not url.path.partition("/o")[1]:
            self._answer({"kind": "storage#bucket", "name": bucket})
        elif not name:
            self._answer(listing(self.server.objects, asked))
        elif name not in self.server.objects:
            self._answer({"error": {"code": 404, "message": "No such object"}}, 404)
        elif asked.get("alt") == "media":
            self._answer(self.server.objects[name])
        else:
            self._answer(entry(name, self.server.objects[name]))

    def _answer(self, said: Any, code: int = 200) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def listing(objects: Mapping[str, bytes], asked: Mapping[str, str]) -> dict[str, Any]:
    """List the objects below a prefix; with a delimiter only one level, and the folders below."""
    prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
    items, folders = [], set()
    for name, content in sorted(objects.items()):
        first, mark, _ = name.removeprefix(prefix).partition(delimiter or "\0\0")
        if not name.startswith(prefix):
            continue
        if mark:
            folders.add(f"{prefix}{first}{mark}")
        else:
            items.append(entry(name, content))
    return {"kind": "storage#objects", "items": items, "prefixes": sorted(folders)}


def entry(name: str, content: bytes) -> dict[str, Any]:
    """The API's description of an object."""
    crc = int(extend(0, content)).to_bytes(4, "big")
    return {
        "kind": "storage#object",
        "name": name,
        "bucket": "pages",
        "id": f"pages/{name}/1",
        "size": str(len(content)),
        "generation": "1",
        "metageneration": "1",
        "contentType": "image/png",
        "timeCreated": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:00Z",
        "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
        "crc32c": base64.b64encode(crc).decode(),
    }


@contextmanager
def hostile_bucket(objects: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the URL of a storage where each bucket holds these objects."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.objects = objects
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
