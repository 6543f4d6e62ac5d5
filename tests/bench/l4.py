"""A card that serves dots.ocr with vLLM, as arithmetic: the time of a step of the batch.

It does one thing after the other: it reads pictures in (prefill), then each request in the batch
gets a token (decode). A decode step reads the weights once and the cache of every request; so its
time grows with the batch, but much more slowly than the batch.

The L4 here comes from its data sheet: it reads 300 GB/s and computes 121 TFLOPS in bfloat16. Here
it gets 75% of the first and 50% of the second. The H200 was measured (vLLM 0.26, full size, dummy
weights) and fitted over 71 windows, with a residual of 8.5%: 127 ms for a picture of 2,519 tokens,
2.7 ms for a step and 34 µs for each request in it. By this arithmetic it got 46% of its 989 TFLOPS
for pictures, and 60% of its 4.8 TB/s for what a step reads of the cache. So 50% and 75% are
reasonable guesses for an L4; a picture of this size then takes 1.0 s. Three things are unknown for
an L4: what a step costs in addition to memory reads (most of the H200's 2.7 ms; its weights take
0.6), how far heat keeps it below its listed rate, and the effect of vLLM's own CPU time on eight
slower cores.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

BYTES_PER_S = 0.75 * 300e9
WEIGHT_BYTES = 3.09e9  # the language model without its input embeddings, two bytes for each weight
KV_BYTES = 28_672  # for a token in the cache: 28 layers, key and value, 2 heads of 128, two bytes
KV_TOKENS = 390_000  # tokens that fit into the cache of an L4: about 100 pages of 2 million pixels
PROMPT_TOKENS = 300  # text tokens in addition to the picture
STEP_TOKENS = 16_384  # tokens that one step reads in at most (--max-num-batched-tokens)
COMPUTE_SHARE = 0.5
FULL = 0.97  # a batch with this share of its places taken counts as full


@dataclass(frozen=True)
class Kind:
    """A kind of card: seconds for a step, for each request in it, and for each token in the cache.

    `picture_share`: its rate for reading a picture, as a multiple of the rate on an L4's data
    sheet.
    """

    step_s: float
    request_s: float
    cached_s: float
    picture_share: float
    kv_tokens: int

    def prefill_s(self, tokens: int) -> float:
        """Seconds to read in a picture: a part for each token, and a part for each pair of tokens.

        By its data sheet an L4 takes 0.19 s for 1,275 tokens, 0.49 for 2,551, 1.36 for 4,936 and
        8.7 for 14,400.
        """
        return tokens * (1.06e-4 + 3.375e-8 * tokens) / self.picture_share

    def decode_s(self, requests: int, cached_tokens: int) -> float:
        """Seconds of one step that gives each request a token, with so many tokens in the cache."""
        return self.step_s + requests * self.request_s + cached_tokens * self.cached_s


L4 = Kind(WEIGHT_BYTES / BYTES_PER_S, 0.0, KV_BYTES / BYTES_PER_S, COMPUTE_SHARE, KV_TOKENS)
H200 = Kind(0.0027, 34e-6, 0.0, picture_share=3.79, kv_tokens=4_000_000)
KINDS = {"l4": L4, "h200": H200}


@dataclass(eq=False)
class Job:
    """A page: tokens of its picture and of its answer; `written` counts the tokens so far."""

    picture: int
    answer: int
    written: int = 0

    @property
    def cached(self) -> int:
        """The tokens that it holds in the cache while it runs."""
        return PROMPT_TOKENS + self.picture + self.written


@dataclass
class Card:
    """The card and vLLM's scheduler: first come, first served, up to max_num_seqs at once.

    When the cache is full, the youngest request gives up its place and is read in again later.
    """

    max_num_seqs: int = 64
    kind: Kind = L4
    now_s: float = 0.0
    waiting: deque[Job] = field(default_factory=deque)
    running: list[Job] = field(default_factory=list)
    preemptions: int = 0
    cached: int = 0
    """Tokens in the cache."""

    def drop(self, job: Job) -> None:
        """Forget a request: its client hung up."""
        if job in self.running:
            self.running.remove(job)
            self.cached -= job.cached
        elif job in self.waiting:
            self.waiting.remove(job)

    def step(self) -> list[Job]:
        """Do one step: read in the requests that fit, and give each a token. Return those that end.

        `now_s` grows by the time of the step; without any request it stays.
        """
        if self.cached + len(self.running) > self.kind.kv_tokens:
            youngest = self.running.pop()
            self.cached -= youngest.cached
            self.waiting.appendleft(youngest)
            self.preemptions += 1
        if self.running:
            self.now_s += self.kind.decode_s(len(self.running), self.cached)
        read = 0
        while self.waiting and len(self.running) < self.max_num_seqs:
            job = self.waiting[0]
            if read + job.cached > STEP_TOKENS and read:
                break
            if self.cached + job.cached + len(self.running) >= self.kind.kv_tokens:
                break
            self.running.append(self.waiting.popleft())
            self.cached += job.cached
            self.now_s += self.kind.prefill_s(job.picture + job.written)
            read += job.cached
        for job in self.running:
            job.written += 1
        self.cached += len(self.running)
        ended = [job for job in self.running if job.written >= job.answer]
        if ended:
            self.running = [job for job in self.running if job.written < job.answer]
            self.cached -= sum(job.cached for job in ended)
        return ended


def seconds_for(jobs: Iterable[Job], max_num_seqs: int = 64, kind: Kind = L4) -> float:
    """Seconds for all these pages if they are at the card from the start, in this order."""
    card = Card(max_num_seqs, kind, waiting=deque(Job(job.picture, job.answer) for job in jobs))
    while card.waiting or card.running:
        card.step()
    return card.now_s


def best_possible_s(jobs: Iterable[Job], max_num_seqs: int = 64, kind: Kind = L4) -> float:
    """Seconds that a perfect client needs: it knows every answer's length, and sends at once.

    It sends the longest first, so that no place has one long answer left at the end.
    """
    longest_first = sorted(jobs, key=lambda job: job.answer, reverse=True)
    return seconds_for(longest_first, max_num_seqs, kind)


def pages_per_s(
    in_flight: int, picture: int = 2_551, answer: int = 1_250, kind: Kind = L4
) -> float:
    """The card's rate with so many equal pages always in flight."""
    jobs = [Job(picture, answer) for _ in range(in_flight)]
    return in_flight / seconds_for(jobs, in_flight, kind)
