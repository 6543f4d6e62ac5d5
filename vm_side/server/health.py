"""Whether a model server answers, and if not, why: what waiting fixes and what it does not."""

import http.client
import socket
import ssl
import urllib.parse
from dataclasses import dataclass

from server.connection import CONNECT_TIMEOUT_S, KeptConnection, LostConnection
from server.verdicts import message, refused

PROBE_TIMEOUT_S = 2.0
UNKNOWN_SIGNER = (18, 19, 20, 21)  # OpenSSL's numbers: signed by itself, or by somebody unknown


@dataclass(frozen=True)
class Fault:
    """Why nothing answers; lasts says that waiting does not fix it."""

    cause: str
    lasts: bool = False


class UnknownName(Fault):
    """The host's name is not known; this sometimes passes."""


def look(url: str, api_key: str = "") -> Fault | None:
    """Ask for /health, over a separate connection; None if the server answers.

    A server without /health also counts as one that answers.
    """
    aside = KeptConnection(url, api_key)
    try:
        response = aside.request("GET", "/health", b"", CONNECT_TIMEOUT_S)
    except LostConnection as error:
        return fault_of(error, url)
    finally:
        aside.close()
    if response.status == 400 and speaks_other(url):  # nginx answers so if it gets no TLS
        return other_scheme(url)
    if response.status >= 500:
        return Fault(f"/health: {refused(response.status, message(response.body))}")
    return None


def fault_of(lost: LostConnection, url: str) -> Fault:
    """Return what made a connection fail."""
    error = lost.__cause__
    if isinstance(error, socket.gaierror):
        host = urllib.parse.urlsplit(url).hostname
        return UnknownName(f"the name {host} is not known ({error.strerror})")
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = "; SSL_CERT_FILE=FILE names the certificates to trust"
        remedy = remedy if error.verify_code in UNKNOWN_SIGNER else ""
        return Fault(f"its certificate is not trusted ({error.verify_message}){remedy}", lasts=True)
    if isinstance(error, ConnectionRefusedError):
        return Fault("the connection is refused")
    if speaks_other(url):
        return other_scheme(url)
    if isinstance(error, OSError) and not isinstance(error, TimeoutError) and error.strerror:
        return Fault(error.strerror)
    return Fault(str(lost))


def other_scheme(url: str) -> Fault:
    """Return the fault of a URL that begins with the wrong scheme."""
    is_tls = url.startswith("https:")
    speaks, other = ("no TLS", "http") if is_tls else ("TLS", "https")
    return Fault(f"it speaks {speaks}: its URL begins with {other}://", lasts=True)


def speaks_other(url: str) -> bool:
    """Whether the server speaks plain HTTP where the URL says https, or the other way round."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        plain = KeptConnection(f"http://{parts.netloc if parts.port else f'{parts.netloc}:443'}")
        try:
            return plain.request("GET", "/health", b"", PROBE_TIMEOUT_S).status != 400
        except LostConnection:
            return False
        finally:
            plain.close()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # a handshake, and no data
    place = (parts.hostname or "", parts.port or http.client.HTTP_PORT)
    try:
        with (
            socket.create_connection(place, PROBE_TIMEOUT_S) as connected,
            context.wrap_socket(connected, server_hostname=parts.hostname),
        ):
            return True
    except OSError:
        return False
