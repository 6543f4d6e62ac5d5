"""TARGET=local: which server answers at ENDPOINT, as this computer sees it."""

import re
import socket
import ssl
import urllib.parse

from contract import KEY, KEY_FILE
from lib.console import Failure

LOOPBACK = ("127.0.0.1", "localhost")


def served_model(endpoint: str, key: str) -> tuple[str, str]:
    """Return (the names of all served models, "") if a server answers, else ("", why not).

    Raises Failure if a server does not let us in, or if TLS fails: waiting would not help.
    """
    import requests  # noqa: PLC0415 - a tenth of a second, and most verbs do not ask

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with requests.Session() as session:
            session.trust_env = False  # the environment's proxy must not answer for it
            session.verify = trusted()
            response = session.get(f"{endpoint}/v1/models", headers=headers, timeout=5)
        if response.status_code in (401, 403):
            raise Failure(
                f"the model server at {endpoint} needs its key (HTTP {response.status_code})",
                f"give it in the variable {KEY}, or in a file that {KEY_FILE} names",
            )
        names = ", ".join(str(model["id"]) for model in response.json()["data"])
        return names, "" if names else "it serves no model"
    except requests.exceptions.SSLError as error:
        raise Failure(
            f"no TLS with {endpoint}: {reason_of(error)}",
            "correct ENDPOINT, or name the certificates to trust in SSL_CERT_FILE",
        ) from error
    except (requests.RequestException, ValueError, KeyError, TypeError, RecursionError) as error:
        return "", reason_of(error)


def refuse_foreign(endpoint: str, why: str) -> None:
    """Raise Failure if the CPU preview cannot be started there. why: the reason for no answer."""
    parts = urllib.parse.urlsplit(endpoint)
    if parts.hostname not in LOOPBACK:
        raise Failure(
            f"no model server at {endpoint} ({why})",
            "start it, or leave ENDPOINT at http://127.0.0.1:8000 for the CPU preview",
        )
    if is_open(parts.hostname, port := parts.port or 80):
        raise Failure(
            f"port {port} is taken by a program that is not a model server",
            "make … ENDPOINT=http://127.0.0.1:8001",
        )


def trusted() -> str | bool:
    """Return which certificates we trust: the system's or SSL_CERT_FILE's, as `process` does."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True


def reason_of(error: Exception) -> str:
    """Return the system's or OpenSSL's words in an error of requests, or else its type."""
    found = re.search(r"\[(?:Errno -?\d+|SSL: \w+)\] (.+?)(?: \(_ssl|['\")]|$)", str(error))
    return found[1] if found else type(error).__name__


def is_open(host: str, port: int) -> bool:
    """Whether anything listens there."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host, port)) == 0
