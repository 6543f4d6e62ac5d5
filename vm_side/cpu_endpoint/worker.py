"""One thread that reads pages, one after another, while the event loop keeps answering."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from cpu_endpoint import protocol
from cpu_endpoint.lines import StoppedError
from cpu_endpoint.metrics import Metrics


class Reader(Protocol):
    """What the worker needs of the engine."""

    def answer(
        self, picture: np.ndarray[Any, Any], prompt: str, stopped: Callable[[], bool]
    ) -> str:
        """Return the answer's text; may raise StoppedError once `stopped()` is true."""


class Job:
    """One request in progress; `answer` holds the body, or what went wrong."""

    def __init__(self, request: protocol.Request) -> None:
        self.request = request
        self.gone = threading.Event()
        self.answer: Future[dict[str, Any]] = Future()

    def drop(self) -> None:
        """Leave the queue, or stop at the next chance, since nobody waits any more."""
        self.gone.set()
        self.answer.cancel()


class Worker:
    """Takes jobs in order of arrival."""

    def __init__(self, reader: Reader, metrics: Metrics) -> None:
        self._reader = reader
        self._metrics = metrics
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")

    def submit(self, request: protocol.Request) -> Job:
        """Queue a request."""
        job = Job(request)
        self._metrics.queued()
        job.answer = self._pool.submit(self._read, job)
        job.answer.add_done_callback(self._count)
        return job

    def _read(self, job: Job) -> dict[str, Any]:
        self._metrics.started()
        picture = protocol.open_image(job.request.image)
        height, width = picture.shape[:2]
        tokens = protocol.image_tokens(width, height) + protocol.count_tokens(job.request.prompt)
        protocol.check_length(tokens)
        text = self._reader.answer(picture, job.request.prompt, job.gone.is_set)
        return protocol.completion(text, tokens, job.request.max_tokens)

    def _count(self, answer: Future[dict[str, Any]]) -> None:
        if answer.cancelled():
            self._metrics.dropped()
            return
        error = answer.exception()
        if error is not None:
            self._metrics.finished("abort" if isinstance(error, StoppedError) else "error")
            return
        body = answer.result()
        usage = body["usage"]
        self._metrics.finished(
            body["choices"][0]["finish_reason"], usage["prompt_tokens"], usage["completion_tokens"]
        )
