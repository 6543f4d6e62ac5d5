"""Answer only programs of this computer, and no page from elsewhere that a browser shows.

Such a page can send a request here, but only with its own Origin, with its own name as Host if it
lets that name point here, or as a form, which is not JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cpu_endpoint.protocol import RequestError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def refusal(method: str, headers: Mapping[str, str], hosts: Collection[str]) -> RequestError | None:
    """Return why a request is not answered, or None. Names of headers are in small letters."""
    host = headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name.lower() not in hosts:
        return RequestError(f"Host {host!r} is not this computer: ask 127.0.0.1.", 403)
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return RequestError(f"Pages of {origin} may not ask.", 403)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if method == "POST" and kind != "application/json":
        return RequestError(f"Content-Type {kind!r} is not application/json.", 415)
    return None


def guarded(app: ASGIApp, host: str = "") -> ASGIApp:
    """Return the application for this computer's programs only; host is a further name of it."""
    hosts = {*LOOPBACK, host.lower(), f"[{host.lower()}]"} - {"", "[]"}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
            error = refusal(scope["method"], headers, hosts)
            if error is not None:
                await JSONResponse(error.body(), status_code=error.status)(scope, receive, send)
                return
        await app(scope, receive, send)

    return answer
