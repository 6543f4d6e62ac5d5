"""The endpoint of the benchmark counts and answers correctly."""

import json

import pytest

from bench.stub import CELLS, CHARACTERS, CHUNK, Seen, answers, layout


def test_in_flight_is_the_mean_over_the_middle_half() -> None:
    """Ten at once from 0 to 8 s. Requests only before 2 s or after 6 s do not count."""
    steady = [(0.0, 1)] * 10 + [(8.0, -1)] * 10
    edges = [(0.5, 1), (1.5, -1), (6.5, 1), (7.5, -1)]
    half = [(3.0, 1), (5.0, -1)]  # one more during half of the middle
    assert Seen(changes=steady).in_flight() == pytest.approx(10)
    assert Seen(changes=sorted(steady + edges)).in_flight() == pytest.approx(10)
    assert Seen(changes=sorted(steady + half)).in_flight() == pytest.approx(10.5)
    assert Seen().in_flight() == 0


@pytest.mark.parametrize("size", [(1176, 1680), (28, 560)])
def test_the_answer_is_the_same_in_chunks_and_whole(size: tuple[int, int]) -> None:
    chunks, body = answers(size)
    text = json.loads(body)["choices"][0]["message"]["content"]
    events = [line[6:] for line in b"".join(chunks).split(b"\r\n") if line.startswith(b"data: {")]
    parts = [json.loads(event.split(b"\n")[0])["choices"] for event in events]
    assert "".join(choice["delta"]["content"] for choices in parts for choice in choices) == text
    assert len(chunks) == -(-CHARACTERS // CHUNK) + 1
    assert text == layout(*size)
    assert (len(text), len(json.loads(text))) == (CHARACTERS, CELLS)
