"""The counters of vLLM's /metrics, as Prometheus text."""

from __future__ import annotations

import threading

from cpu_endpoint.protocol import MODEL

_REASONS = ("stop", "length", "abort", "error", "repetition")


class Metrics:
    """Counts requests and tokens; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting = 0
        self._running = 0
        self._prompt_tokens = 0
        self._generation_tokens = 0
        self._finished = dict.fromkeys(_REASONS, 0)

    def queued(self) -> None:
        with self._lock:
            self._waiting += 1

    def started(self) -> None:
        with self._lock:
            self._waiting -= 1
            self._running += 1

    def dropped(self) -> None:
        """Count a request that left the queue unread, because its client is gone."""
        with self._lock:
            self._waiting -= 1
            self._finished["abort"] += 1

    def finished(self, reason: str, prompt_tokens: int = 0, generation_tokens: int = 0) -> None:
        with self._lock:
            self._running -= 1
            self._finished[reason] += 1
            self._prompt_tokens += prompt_tokens
            self._generation_tokens += generation_tokens

    def text(self) -> str:
        """Return the counters as Prometheus text, version 0.0.4."""
        with self._lock:
            values: list[tuple[str, str, float]] = [
                ("num_requests_running", "gauge", self._running),
                ("num_requests_waiting", "gauge", self._waiting),
                ("kv_cache_usage_perc", "gauge", 0.0),
                ("num_preemptions_total", "counter", 0),
                ("prompt_tokens_total", "counter", self._prompt_tokens),
                ("generation_tokens_total", "counter", self._generation_tokens),
            ]
            finished = dict(self._finished)
        lines = []
        for name, kind, value in values:
            # Prometheus names a counter's family without its _total.
            lines.append(f"# TYPE vllm:{name.removesuffix('_total')} {kind}")
            lines.append(f'vllm:{name}{{model_name="{MODEL}"}} {float(value)}')
        lines.append("# TYPE vllm:request_success counter")
        for reason, count in finished.items():
            labels = f'finished_reason="{reason}",model_name="{MODEL}"'
            lines.append(f"vllm:request_success_total{{{labels}}} {float(count)}")
        return "\n".join(lines) + "\n"
