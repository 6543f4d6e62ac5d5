"""Why nothing answers: the message says the cause, and hopeless waits end at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.asking import client, hasten
from rig.model_server import ModelServer
from rig.raw_server import RawServer, Talk
from rig.tls import certificate, tls_server
from rig.toolkit import free_port
from server import health
from server.verdicts import EndpointError, ServerGone, Unreachable

LONG_S = 60.0  # no test waits so long


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses of production."""
    hasten(monkeypatch)
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.5)


def refusal(url: str, ready_timeout_s: float = LONG_S) -> tuple[type[Exception], str]:
    """The error of models() for a server."""
    asking = client(url, ready_timeout_s=ready_timeout_s)
    try:
        with pytest.raises(EndpointError) as error:
            asking.models()
        return error.type, str(error.value)
    finally:
        asking.close()


def saying(answer: bytes) -> RawServer:
    """A server that gives this answer to every request, and hangs up."""
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        if server.receive(connected, b"\r\n\r\n"):
            connected.sendall(answer)

    server.talks = (talk,)
    return server


def by_path(**answers: bytes) -> RawServer:
    """A server with an answer for the last word of each path; others get a 404."""
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        asked = connected.recv(1 << 16).split(b" ")[1].decode()
        connected.sendall(answers.get(asked.rpartition("/")[2], http(404)))

    server.talks = (talk,)
    return server


def http(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = (b"HTTP/1.1 %d X" % status, *headers, b"Content-Length: %d" % len(body))
    return b"\r\n".join((*lines, b"Connection: close", b"", body))


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[str]:
    with tls_server(certificate(tmp_path)) as place:
        yield place


def test_a_certificate_that_nobody_signed(secure: str) -> None:
    began = time.monotonic()
    kind, said = refusal(f"https://{secure}")
    assert kind is Unreachable and time.monotonic() - began < LONG_S / 2
    assert "certificate is not trusted (self-signed certificate); SSL_CERT_FILE=FILE" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"days": -1}, "certificate has expired"),
        ({"name": "127.0.0.2"}, "IP address mismatch"),
    ],
)
def test_a_trusted_certificate_that_is_no_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, int], words: str
) -> None:
    paths = certificate(tmp_path, **changes)  # type: ignore[arg-type]  # one of two kinds
    monkeypatch.setenv("SSL_CERT_FILE", str(paths.certificate))
    with tls_server(paths) as place:
        kind, said = refusal(f"https://{place}")
    assert kind is Unreachable and words in said and "SSL_CERT_FILE" not in said


def test_a_certificate_that_is_named_as_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(paths.certificate))
    with tls_server(paths) as place:
        asking = client(f"https://{place}")
        assert [model.name for model in asking.models()] == ["model"]
        asking.close()


def test_http_to_a_port_of_https(secure: str) -> None:
    kind, said = refusal(f"http://{secure}")
    assert kind is Unreachable and said.endswith("it speaks TLS: its URL begins with https://")


def test_https_to_a_port_of_http() -> None:
    with ModelServer() as server:
        kind, said = refusal(server.url.replace("http:", "https:"))
    assert kind is Unreachable and said.endswith("it speaks no TLS: its URL begins with http://")


def test_a_name_that_is_not_known() -> None:
    kind, said = refusal("http://no-such-host.invalid:8000")
    assert kind is Unreachable and "the name no-such-host.invalid is not known (" in said


def test_a_name_that_is_not_known_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve, calls = socket.getaddrinfo, []

    def late(host: str, *more: object, **named: object) -> object:
        calls.append(host)
        if len(calls) == 1:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve("127.0.0.1", *more, **named)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(socket, "getaddrinfo", late)
    with ModelServer() as server:
        asking = client(server.url.replace("127.0.0.1", "gpu.internal"))
        assert len(asking.models()) == 1
        asking.close()


def test_a_refused_connection_is_waited_for() -> None:
    """vLLM refuses connections while it loads."""
    began = time.monotonic()
    kind, said = refusal(f"http://127.0.0.1:{free_port()}", 0.5)
    assert kind is ServerGone and said.endswith("for 0 s: the connection is refused")
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(503, b'{"error": {"message": "Loading model"}}'), "/health: HTTP 503 Loading model"),
        (b"", "connection lost: RemoteDisconnected"),
        (b"\x15\x03\x01 what", "connection lost: BadStatusLine"),
    ],
)
def test_what_else_may_pass_is_waited_for_and_named(answer: bytes, words: str) -> None:
    with saying(answer) as server:
        kind, said = refusal(server.url, 0.5)
    assert kind is ServerGone and words in said


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (
            http(401, b'{"error": "Unauthorized"}'),
            "HTTP 401 Unauthorized: it needs its key",
        ),
        (http(403), "HTTP 403: it needs its key"),
        (http(404, b"lost"), "HTTP 404 lost"),
        (http(301, b"", b"Location: https://there/v1/models"), "it moved to https://there/v1/mod"),
        (http(200, b"<html>"), "no list of models"),
    ],
)
def test_what_v1_models_refuses_ends_at_once(models: bytes, words: str) -> None:
    with by_path(health=http(200), models=models) as server:
        kind, said = refusal(server.url)
    assert kind is EndpointError and f"{server.url}/v1/models: " in said and words in said


def test_a_server_without_health_is_one() -> None:
    with by_path(models=http(200, b'{"data": [{"id": "x"}]}')) as server:
        asking = client(server.url)
        assert [model.name for model in asking.models()] == ["x"]
        asking.close()


def test_models_that_load_behind_a_healthy_server_are_waited_for() -> None:
    """As behind a proxy that starts before the model does."""
    answers = [http(503), http(502), http(200, b'{"data": [{"id": "x"}]}')]
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        is_health = b"/health" in connected.recv(1 << 16)
        connected.sendall(http(200) if is_health else answers.pop(0))

    talks: tuple[Talk, ...] = (talk,)
    server.talks = talks
    with server:
        asking = client(server.url)
        assert [model.name for model in asking.models()] == ["x"] and not answers
        asking.close()


def test_a_server_that_has_been_seen_at_work_is_waited_for(secure: str) -> None:
    """Names and certificates can fail for a time. Only a new server is judged by them."""
    with pytest.raises(ServerGone, match=r"for 0 s: its certificate is not trusted") as error:
        client(f"https://{secure}", ready_timeout_s=0.2).wait_until_ready()
    assert error.type is ServerGone
