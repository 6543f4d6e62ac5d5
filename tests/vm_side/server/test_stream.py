"""A streamed answer: what is read of it, in parts of any size, and when it loops."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from rig import replies
from rig.asking import PNG, RETRIES, SAMPLING, ask, client, failure
from rig.model_server import ModelServer
from rig.replies import Reply, in_turn
from server import connection
from server.request import Completion, Sampling
from server.stream import LOOP_TOKENS, AnswerStream, StreamError

ROW = "<tr><td></td><td></td><td></td></tr>"
SENTENCE = "이 표는 회의록 사본이며 다음 쪽에 계속된다. The same again and again. "


pytestmark = pytest.mark.usefixtures("hurry")


def body(text: str, finish_reason: str = "stop", interval: int = 1) -> bytes:
    """All events of an answer, as the stand-in sends them."""
    count = len(text) // 3
    answer = {
        **{"id": "1", "created": 2, "model": "model"},
        "choices": [{"message": {"content": text}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 5, "completion_tokens": count, "total_tokens": 5 + count},
    }
    return b"".join(replies.events(answer, True, True, interval))


def heard(data: bytes, size: int = 1 << 20) -> AnswerStream:
    """A stream that has read the data in parts of this size, until it had enough."""
    stream = AnswerStream(100_000)
    for at in range(0, len(data), size):
        if not stream.hear(data[at : at + size]):
            break
    return stream


@pytest.mark.parametrize("usage", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("interval", [1, 32])
def test_an_answer_is_left_once_it_is_beyond_its_limit(usage: bool, interval: int) -> None:
    words = " ".join(str(number**3) for number in range(20_000))
    answer = {
        **{"id": "1", "created": 2, "model": "model"},
        "choices": [{"message": {"content": words}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": len(words) // 3},
    }
    stream = AnswerStream(1000)
    events = replies.events(answer, usage, usage, interval)
    taken = sum(1 for _ in itertools.takewhile(stream.hear, events))
    assert stream.finish_reason == "length"
    assert taken * interval < (1100 if usage or interval == 1 else 6000)


def test_an_answer_up_to_its_limit_is_heard_to_its_end(server: ModelServer) -> None:
    text = " ".join(str(number**3) for number in range(600))[: 3 * 1000]
    server.script = lambda request: Reply(text)
    answer = ask(server)
    assert (answer.tokens_out, answer.finish_reason) == (1000, "stop")


def test_a_server_that_heeds_no_limit_is_hung_up_on(server: ModelServer) -> None:
    text = " ".join(str(number**3) for number in range(12_000))
    server.script = lambda request: Reply(text, is_limited=False)
    answer = ask(server)
    assert answer.finish_reason == "length" and 1000 < answer.tokens_out < 3000
    server.wait_until(lambda: server.requests[0].disconnected)


def page(text: str) -> str:
    """A page's answer with this text in its last cell."""
    cells = [
        {"bbox": [1, 2, 300, 40], "category": "Title", "text": "# 제목"},
        {"bbox": [1, 50, 300, 400], "category": "Table", "text": text},
    ]
    return json.dumps(cells, ensure_ascii=False)


# --- what is heard -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_parts_of_any_size(size: int) -> None:
    stream = heard(body("한글 and <td>12</td>", "length"), size)
    assert stream.text == "한글 and <td>12</td>" and stream.is_complete
    assert (stream.finish_reason, stream.tokens_in, stream.tokens_out) == ("length", 5, 6)


def test_lines_that_are_no_data_are_passed_over() -> None:
    lines = body("one two").replace(b"data: {", b": a comment\r\nevent: x\r\ndata:{", 1)
    assert heard(lines).text == "one two"


def test_tokens_are_counted_where_the_server_does_not() -> None:
    stream = AnswerStream(100_000)
    for _ in range(3):
        stream.hear(b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n')
    assert (stream.text, stream.tokens_out) == ("xxx", 3)


@pytest.mark.parametrize("count", [0, -1, None])
def test_a_server_that_writes_counts_but_does_not_count(count: int | None) -> None:
    """A loop still ends the answer."""
    usage = {"prompt_tokens": count, "completion_tokens": count}
    event = {"choices": [{"delta": {"content": "and so on "}}], "usage": usage}
    stream = AnswerStream(100_000)
    parts = [f"data: {json.dumps(event)}\n\n".encode()] * 1000
    assert not all(map(stream.hear, parts))
    assert stream.finish_reason == "repetition"
    assert (stream.tokens_in, LOOP_TOKENS <= stream.tokens_out < 1000) == (0, True)


@pytest.mark.parametrize("count", ["7", 7.0, "9" * 400, 10**400])
def test_a_count_as_a_text_and_one_beyond_any_float(count: Any) -> None:
    event = {"choices": [], "usage": {"prompt_tokens": count, "completion_tokens": count}}
    stream = heard(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert (stream.tokens_in, stream.tokens_out) == (int(count), int(count))


def test_a_second_choice_is_not_mixed_into_the_answer() -> None:
    def event(*choices: tuple[int, str]) -> bytes:
        told = [{"index": index, "delta": {"content": text}} for index, text in choices]
        return f"data: {json.dumps({'choices': told})}\n\n".encode()

    stream = heard(event((0, "one "), (1, "eins ")) + event((1, "zwei")) + event((0, "two")))
    assert stream.text == "one two"


def test_an_error_in_the_middle_is_the_servers() -> None:
    with pytest.raises(StreamError, match="died") as error:
        heard(b'data: {"error": {"message": "it died", "code": 503}}\n\n')
    assert error.value.code == 503


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"error": "it died"}, 500),
        ({"error": {"message": "it died", "code": None}}, 500),
        ({"error": {"message": "it died", "code": 200}}, 500),
        ({"error": {"message": "it died", "code": "rate_limit"}}, 500),
        ({"error": {"message": "it died", "code": "429"}}, 429),
        ({"object": "error", "message": "it died", "code": 400}, 400),  # vLLM before 0.10
        ({"error": {"detail": "it died"}}, 500),
    ],
)
def test_an_error_of_any_form_keeps_its_words(event: dict[str, Any], code: int) -> None:
    with pytest.raises(StreamError, match="it died") as error:
        heard(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert error.value.code == code


def test_a_content_in_parts_and_an_error_that_is_none() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}, {"type": "x"}]
    event = {"error": None, "choices": [{"delta": {"content": parts}}]}
    assert heard(b"data: " + json.dumps(event).encode() + b"\n\n").text == "one two"


@pytest.mark.parametrize(
    "data",
    [
        b"data: x\n",
        b"data: []\n",
        b"data: \xff\n",
        b'data: {"choices": [1]}\n',
        b'data: {"choices": [{"delta": {"content": 5}}]}\n',
        b'data: {"choices": [{"delta": {"content": ["x"]}}]}\n',
        b'data: {"choices": [], "usage": {"completion_tokens": "1 or 2"}}\n',
    ],
)
def test_what_is_no_chunk(data: bytes) -> None:
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
        heard(data)


# --- what loops ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "turn", [".", ". ", "_", " ", "\\n", "<td></td>", ROW, SENTENCE, "<td>1</td><td>12</td>"]
)
@pytest.mark.parametrize("cut", [0, 1])
@pytest.mark.parametrize("interval", [1, 16, 32])
def test_a_loop_ends_600_tokens_after_it_began(turn: str, cut: int, interval: int) -> None:
    beginning = page("<table>")[:-3] + "x" * cut
    stream = heard(body(beginning + turn * 3000, interval=interval))
    assert stream.finish_reason == "repetition" and not stream.is_complete
    began = len(beginning) // 3
    assert LOOP_TOKENS - interval < stream.tokens_out - began <= 600
    assert (beginning + turn * 3000).startswith(stream.text)


@pytest.mark.parametrize(
    "text",
    [
        "<table>" + ROW * 40 + "</table>",
        "<table>" + "".join(f"<tr><td>{n}</td><td></td><td></td></tr>" for n in range(40)),
        "<table>" + "<td></td>" * 150 + "</table>",
        "\n".join(f"{n}. Chapter {'.' * 160} {n}" for n in range(1, 60)),
        "\n".join(f"Name {'_' * 120} Date {'_' * 60}{n}" for n in range(40)),
        "·" * 500 + " 12",
        SENTENCE * 2,
        "".join(f"{n * n:05} " for n in range(3000)),
    ],
)
def test_what_pages_repeat_is_no_loop(text: str) -> None:
    answer = page(text)
    assert heard(body(answer)).text == answer


def test_tokens_without_a_text_are_no_loop() -> None:
    """A server may count tokens before it sends their text."""
    stream = AnswerStream(100_000)
    for text, count in (("all of it", 20), ("", 2000), (" and the end", 2010)):
        event = {"choices": [{"delta": {"content": text}}], "usage": {"completion_tokens": count}}
        assert stream.hear(b"data: " + json.dumps(event).encode() + b"\n")
    assert stream.text == "all of it and the end"


def test_a_loop_that_ended_is_forgiven() -> None:
    """If other text follows before the limit, the loop does not count."""
    text = "." * 3 * (LOOP_TOKENS - 20) + " and on " + "a b c d e f g" * 3
    assert heard(body(text)).text == text


# --- over HTTP -----------------------------------------------------------------------------


def test_an_answer_in_one_piece_is_taken_too(server: ModelServer) -> None:
    choices = [{"message": {"content": "whole"}, "finish_reason": "stop"}]
    server.script = in_turn(Reply(body={"choices": choices}))
    assert ask(server) == Completion("whole", "stop", 0, 0)


def test_the_stream_with_its_counts_is_wanted(server: ModelServer) -> None:
    completion = ask(server)
    (request,) = server.requests
    assert request.body["stream"] is True
    assert request.body["stream_options"]["include_usage"] is True
    assert completion.tokens_in == request.prompt_tokens
    assert completion.tokens_out == len(completion.text) // 3


def test_streams_keep_their_connection(server: ModelServer) -> None:
    asking = client(server.url)
    for _ in range(5):
        asking.complete("model", PNG, "Read it.", SAMPLING)
    asking.close()
    assert server.connections == 1 and len(server.requests) == 5


def test_a_loop_is_left_and_the_next_answer_comes(server: ModelServer) -> None:
    server.script = in_turn(Reply("dots: " + "." * 40_000), Reply("fine"))
    asking = client(server.url)
    sampling = Sampling(0.1, 16_000, 200)
    looped = asking.complete("model", PNG, "Read it.", sampling)
    assert looped.finish_reason == "repetition" and looped.tokens_out <= 600
    assert looped.tokens_in == server.requests[0].prompt_tokens
    assert asking.complete("model", PNG, "Read it.", sampling).text == "fine"
    asking.close()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(fault="truncate"), "connection lost"),
        (Reply(fault="error"), "EngineCore encountered an issue"),
    ],
)
def test_an_answer_that_ends_in_the_middle_is_asked_for_again(
    server: ModelServer, reply: Reply, words: str
) -> None:
    server.script = in_turn(reply, Reply("at last"))
    assert ask(server).text == "at last"
    server.reset()
    server.script = lambda request: reply
    assert words in failure(server)
    assert len(server.requests) == 1 + RETRIES


def test_a_server_that_is_full_says_so_within_the_answer(server: ModelServer) -> None:
    """vLLM does this sometimes: the client waits, and does not count it as a try."""
    server.script = in_turn(*[Reply(fault="busy")] * 3, Reply("at last"))
    assert ask(server, retries=0).text == "at last"
    assert len(server.requests) == 4


@pytest.mark.parametrize("finish_reason", ["abort", "error"])
@pytest.mark.parametrize("is_whole", [False, True])
def test_an_answer_that_its_server_gave_up_is_asked_for_again(
    server: ModelServer, finish_reason: str, is_whole: bool
) -> None:
    """vLLM does this after SIGTERM. Half a page is not an answer of the model."""
    choices = [{"message": {"content": "half"}, "finish_reason": finish_reason}]
    given_up = Reply(body={"choices": choices}) if is_whole else Reply("half", finish_reason)
    server.script = in_turn(given_up, Reply("whole"))
    assert ask(server).text == "whole"
    server.reset()
    server.script = lambda request: given_up
    assert f"the server ended it with '{finish_reason}' (4 times)" == failure(server)


@pytest.mark.parametrize("event", [b"data: {no JSON\n\n", b'data: {"choices": 1}\n\n', b""])
def test_what_is_no_event_is_asked_for_again(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, event: bytes
) -> None:
    """In the middle of an answer; or the answer ends there, correctly but without its end mark."""
    whole = replies.events

    def damaged(*given: Any, **more: Any) -> list[bytes]:
        events = whole(*given, **more)
        if len(server.requests) > 1:
            return events
        return [*events[:2], event, *events[2:]] if event else events[:2]

    monkeypatch.setattr(replies, "events", damaged)
    assert ask(server).text.endswith("]")
    assert len(server.requests) == 2


def test_an_answer_cut_on_a_kept_connection_counts_as_a_failure(server: ModelServer) -> None:
    """It is not a stale connection, because the server had begun to answer."""
    server.script = in_turn(Reply("one"), Reply(fault="truncate"), Reply("two"))
    asking = client(server.url, retries=0)
    asking.complete("model", PNG, "Read it.", SAMPLING)
    with pytest.raises(Exception, match="connection lost"):
        asking.complete("model", PNG, "Read it.", SAMPLING)
    asking.close()
    assert len(server.requests) == 2


def test_a_silence_in_the_middle_ends_with_the_servers_health(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEALTH_INTERVAL_S", 0.05)
    server.script = lambda request: Reply(fault="stall")
    asking = client(server.url, retries=0, request_timeout_s=60, ready_timeout_s=0)
    monkeypatch.setattr(asking, "is_healthy", lambda: False)
    with pytest.raises(Exception, match="went away"):
        asking.complete("model", PNG, "Read it.", SAMPLING)
    asking.close()
    server.wait_until(lambda: server.requests[0].disconnected)


def test_a_silence_in_the_middle_ends_with_the_timeout(server: ModelServer) -> None:
    server.script = lambda request: Reply(fault="stall")
    assert "no answer in 0 s" in failure(server, retries=0, request_timeout_s=0.3)
