"""Operations: work that continues after the call was answered, one at a time per resource."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition, Event
from typing import Any

from rig.cloud.gce_documents import Document, new_id, now
from rig.cloud.gce_errors import OperationError, Refusal, not_found

Work = Callable[[], OperationError | None]


@dataclass(frozen=True)
class Scope:
    """Where an operation belongs: `projects/p/zones/z`, or `projects/p/global`."""

    base: str  # http://…/compute/v1
    path: str


class Operations:
    """All operations so far, by name, oldest first."""

    def __init__(self) -> None:
        self.wait_cap_s = 120.0
        """`wait` answers after this time even if the operation is not done, like Google's."""
        self.accepting_s = 0.0
        """How long an operation stays PENDING."""
        self.changed = Condition()
        self._all: dict[str, Document] = {}
        self._by_request: dict[tuple[str | None, str], str] = {}
        self._queues: dict[str, ThreadPoolExecutor] = {}
        self._closing = Event()

    def close(self) -> None:
        """Let running work end at once, and begin no more work."""
        self._closing.set()
        with self.changed:
            self.changed.notify_all()
        for queue in self._queues.values():
            queue.shutdown(wait=True, cancel_futures=True)

    def sleep(self, seconds: float) -> None:
        """Wait, inside work; closing the server cuts this short."""
        self._closing.wait(seconds)

    def submit(
        self, scope: Scope, kind: str, target: str, work: Work, request_id: str | None = None
    ) -> Document:
        """Make an operation on `target` (a link); its work waits for the target's earlier ones.

        The same request id gives the same operation, and its work is done only once.
        """
        key = (request_id, f"{kind} {target}")
        with self.changed:
            if key in self._by_request:
                return self.get(self._by_request[key])
            operation = self._new(scope, kind, target)
            if request_id is not None:
                operation["clientOperationId"] = request_id
                self._by_request[key] = operation["name"]
            self._all[operation["name"]] = operation
            queue = self._queues.setdefault(target, ThreadPoolExecutor(1, "gce-operation"))
            answer = dict(operation)  # as it was accepted: PENDING
        queue.submit(self._run, operation, work)
        return answer

    def earlier(self, request_id: str, kind: str, target: str) -> Document | None:
        """The operation that this request id made before, or None."""
        with self.changed:
            name = self._by_request.get((request_id, f"{kind} {target}"))
            return self.get(name) if name else None

    def record(self, scope: Scope, kind: str, target: str) -> Document:
        """Add a finished operation of Google's own, for example a preemption."""
        operation = self._new(scope, kind, target)
        operation.update(status="DONE", progress=100, user="system", endTime=now())
        with self.changed:
            self._all[operation["name"]] = operation
        return operation

    def get(self, name: str) -> Document:
        with self.changed:
            if name not in self._all:
                raise not_found(f"operations/{name}")
            return dict(self._all[name])

    def wait(self, name: str) -> Document:
        """Wait until the operation is done, or until the cap; return it."""
        deadline_s = time.monotonic() + self.wait_cap_s
        with self.changed:
            while (left_s := deadline_s - time.monotonic()) > 0 and not self._closing.is_set():
                if self.get(name)["status"] == "DONE":
                    break
                self.changed.wait(left_s)
            return self.get(name)

    def list(self, scope_path: str) -> list[Document]:
        """The operations of a scope, newest first."""
        with self.changed:
            inside = f"/{scope_path}/operations/"
            return [dict(one) for one in self._all.values() if inside in one["selfLink"]][::-1]

    def _new(self, scope: Scope, kind: str, target: str) -> Document:
        name = f"operation-{time.time_ns() // 1_000_000}-{uuid.uuid4().hex[:13]}"
        operation: Document = {
            "kind": "compute#operation",
            "id": new_id(),
            "name": name,
            "operationType": kind,
            "targetLink": target,
            "targetId": new_id(),
            "status": "PENDING",
            "progress": 0,
            "user": "rig@example.com",
            "insertTime": now(),
            "startTime": now(),
            "selfLink": f"{scope.base}/{scope.path}/operations/{name}",
        }
        if "/zones/" in scope.path:
            operation["zone"] = f"{scope.base}/{scope.path}"
        if "/regions/" in scope.path:
            operation["region"] = f"{scope.base}/{scope.path}"
        return operation

    def _run(self, operation: Document, work: Work) -> None:
        self.sleep(self.accepting_s)
        self._change(operation, status="RUNNING")
        error: OperationError | None
        try:
            error = work()
        except Refusal as refusal:  # the state changed between the call and its turn
            error = OperationError(refusal.reason, refusal.message, 400)
        except Exception as broken:
            fault = OperationError("INTERNAL_ERROR", f"the rig broke: {broken!r}", 503)
            self._change(operation, status="DONE", progress=100, **fault.fields())
            raise
        fields = error.fields() if error else {}
        self._change(operation, status="DONE", progress=100, endTime=now(), **fields)

    def _change(self, operation: Document, **fields: Any) -> None:
        with self.changed:
            operation.update(fields)
            self.changed.notify_all()
