"""A client of plain sockets for the stand-in model server; it uses none of our code."""

from __future__ import annotations

import base64
import http.client
import io
import json
from typing import Any

import pytest
from PIL import Image

from rig.model_server import ModelServer

PREFIX = "<|img|><|imgpad|><|endofimg|>"


def png(width: int = 280, height: int = 280, shade: int = 255) -> bytes:
    out = io.BytesIO()
    Image.new("L", (width, height), shade).save(out, "PNG")
    return out.getvalue()


def data_url(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def chat_body(picture: bytes | None = None, prompt: str = "Read it.", **over: Any) -> bytes:
    url = data_url(png() if picture is None else picture)
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": PREFIX + prompt},
    ]
    body = {"model": "model", "messages": [{"role": "user", "content": content}], **over}
    return json.dumps(body).encode()


class Client:
    """One keep-alive connection."""

    def __init__(self, server: ModelServer, timeout_s: float = 60.0) -> None:
        host = server.url.removeprefix("http://")
        self.http = http.client.HTTPConnection(host, timeout=timeout_s)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def send(self, body: bytes | None = None) -> None:
        body = chat_body() if body is None else body
        self.http.request("POST", "/v1/chat/completions", body)

    def receive(self) -> tuple[int, Any]:
        response = self.http.getresponse()
        return response.status, json.loads(response.read())

    def chat(self, body: bytes | None = None) -> tuple[int, Any]:
        self.send(body)
        return self.receive()

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        self.http.request("GET", path, headers=headers)
        response = self.http.getresponse()
        return response.status, response.read()


def post(server: ModelServer, body: bytes | None = None) -> tuple[int, Any]:
    with Client(server) as client:
        return client.chat(body)


def text_of(answer: tuple[int, Any]) -> str:
    status, body = answer
    assert status == 200, body
    text = body["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def metric(server: ModelServer, name: str, **labels: str) -> float:
    with Client(server) as client:
        text = client.get("/metrics")[1].decode()
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    for line in text.splitlines():
        if line.startswith(f"vllm:{name}{{") and all(label in line for label in wanted):
            return float(line.split()[-1])
    raise AssertionError(f"no {name} {labels} in:\n{text}")


def assert_refuses(server: ModelServer) -> None:
    with Client(server) as client, pytest.raises(ConnectionRefusedError):
        client.get("/health")


def start(server: ModelServer, clients: list[Client]) -> None:
    """Send one request on each, in this order."""
    for count, client in enumerate(clients, server.in_flight + 1):
        client.send()
        # mypy cannot infer a lambda with a default
        server.wait_until(lambda count=count: server.in_flight == count)  # type: ignore[misc]
