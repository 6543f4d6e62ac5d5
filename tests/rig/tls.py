"""A model server behind TLS, which can only list its model. Its certificate is self-signed."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Certificate:
    """The paths of two PEM files."""

    certificate: Path
    key: Path


def certificate(folder: Path, name: str = HOST, days: int = 2) -> Certificate:
    """Make a self-signed certificate for an IP address; it expires after `days`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.datetime.now(datetime.UTC)
    ends = now + datetime.timedelta(days=days)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, ends) - datetime.timedelta(days=1))
        .not_valid_after(ends)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = Certificate(folder / "certificate.pem", folder / "key.pem")
    paths.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def connections_are_mixed_up(paths: Certificate) -> bool:
    """Whether this Python takes a fault of one TLS connection for a fault of another one.

    This happens with OpenSSL 3.4 or newer, as long as Python's ssl module does not clear OpenSSL's
    list of faults: https://github.com/python/cpython/issues/148594. Then Dask ends connections that
    are healthy.
    """
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(paths.certificate, paths.key)
    outside = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outside.check_hostname, outside.verify_mode = False, ssl.CERT_NONE
    with ExitStack() as stack, ThreadPoolExecutor(1) as beside:

        def connected() -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
            ours, theirs = socket.socketpair()
            serving = beside.submit(inside.wrap_socket, ours, server_side=True)
            asking = stack.enter_context(outside.wrap_socket(theirs))
            served = stack.enter_context(serving.result())
            served.setblocking(False)
            return served, asking

        (faulty, gone), (healthy, _) = connected(), connected()
        gone.shutdown(socket.SHUT_RDWR)
        for _ in range(2):
            with suppress(OSError):
                faulty.recv(1)
        try:
            healthy.recv(1)
        except ssl.SSLWantReadError:  # nothing has come
            return False
        except BrokenPipeError:
            return True
    raise AssertionError("something came")


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": "model"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: the tests use clients that speak no TLS, or do not trust this server."""


@contextmanager
def tls_server(paths: Certificate) -> Iterator[str]:
    """Serve a model, only over TLS; yield the server's host and port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths.certificate, paths.key)
    with _Server((HOST, 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
