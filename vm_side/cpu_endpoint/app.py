"""Put the parts together: models, Tesseract, the HTTP side."""

from __future__ import annotations

import socket
import threading
import time

import click

from cpu_endpoint import protocol, server, tesseract
from cpu_endpoint.engine import Engine
from cpu_endpoint.models import Models


def run(host: str, port: int, threads: int) -> int:
    """Serve until a signal, and return the exit code. Raises click.ClickException, ImportError."""
    begun = time.monotonic()
    try:
        bound = server.bind(host, port)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host} port {port}: {error.strerror or error}. "
            "Stop what runs there, or choose another with --port."
        ) from error
    models = Models(threads)
    found = tesseract.find()
    reader = tesseract.Tesseract(found) if found.command else None
    lacks = "" if reader else tesseract.lacking(found)
    if lacks:
        click.echo(f"cpu_endpoint: {lacks}", err=True)
    stopping = threading.Event()
    application = server.build_app(Engine(models, reader), stopping, host, lacks)

    def ready() -> None:
        click.echo(
            f"cpu_endpoint: ready at {_url(bound)} as {protocol.MODEL} after "
            f"{time.monotonic() - begun:.1f} s (Korean: {'yes' if reader else 'no'}, "
            f"table structure: {'yes' if models.has_tables else 'no'})",
            err=True,
        )

    try:
        return server.serve(application, bound, ready, stopping)
    finally:
        if reader is not None:
            reader.stop()


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
