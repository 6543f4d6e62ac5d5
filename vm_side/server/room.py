"""How many tokens an answer may have: as the context allows, or as a server's refusal says.

vLLM before 0.32 refuses a question and an answer that together go beyond its context; from then on
it shortens the answer itself. Other servers do either, each in its own words.
"""

import re

from picture.images import FACTOR, MAX_PIXELS, MUCH_MORE

LONGEST_ANSWER = 16_384  # tokens; what the model was trained for
PROMPT_TOKENS = 600  # where the server does not say how many there are
LEAST_ANSWER = 256  # asked for at least, however large the question is thought to be
ANSWER_ROOM = 4096  # tokens to leave for it; most pages need a third of it, a dense one all
MORE = 2  # times the pixels, where a page is looked at again more closely

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
SUM = re.compile(r"(\d+) \+ (?:\D{0,20} )?(\d+) > (\d+)")
CONTEXT = re.compile(
    r"(?:context[_ ](?:length|window|size|limit)|max_(?:model|seq|total|num|input)_(?:len|tokens)"
    r"|(?:model|sequence) length|n_ctx|`max_new_tokens` must be <=)\D{0,40}?(\d+)",
    re.IGNORECASE,
)
QUESTION = re.compile(
    r"(\d+) (?:input tokens|prompt tokens|tokens from the input|in the messages|in your prompt"
    r"|(?:tokens )?in the (?:messages|prompt|input)|`inputs` tokens)"
    r"|(?:input|prompt)(?:[_ ]tokens| length|[^.\d]{0,20}length)?[^.\d]{0,20}?(\d+)",
    re.IGNORECASE,
)
CAP = re.compile(
    r"(?:at most|up to|only|maximum of) (\d+) (?:completion |output |new )?tokens"
    r"|max(?:_completion|_new|_output)?_tokens\W[^.\d]{0,40}?"
    r"(?:at most|<=|less than or equal to|(?:no|not) (?:more|greater|larger) than|exceed)"
    r"\D{0,10}?(\d+)",
    re.IGNORECASE,
)


def answer_room(context: int, question: int) -> int:
    """Tokens to ask for, by a model's context (0: unknown) and what the question takes of it."""
    if not context:
        return LONGEST_ANSWER
    return min(LONGEST_ANSWER, max(LEAST_ANSWER, context - question))


def picture_room(context: int, prompt_tokens: int) -> int:
    """Pixels of the largest picture beside which a model's context has room for an answer."""
    return (context - prompt_tokens - ANSWER_ROOM) * FACTOR**2


def more_pixels(max_pixels: int, context: int, prompt_tokens: int) -> int:
    """How many pixels a page may have when it is looked at more closely; 0: there are no more.

    context is the model's, 0: unknown; it then says itself if they are too many.
    """
    room = picture_room(context, prompt_tokens) if context else MAX_PIXELS
    pixels = min(MORE * max_pixels, MAX_PIXELS, room)
    return pixels if pixels >= MUCH_MORE * max_pixels else 0


def room_told(refusal: str, asked: int, question: int) -> int | None:
    """Tokens that fit, by the words of a server that refused so many; None if they tell nothing.

    question is what we think that the question takes, for where the words do not say.
    """
    words = THOUSANDS.sub("", refusal)
    if added := SUM.search(words):
        first, second, context = map(int, added.groups())
        taken = second if first == asked else first
        return smaller(asked, context - max(taken, question), context - taken)
    if context_told := CONTEXT.search(words):
        context = int(context_told[1])
        told = QUESTION.search(words)
        taken = int(told[1] or told[2]) if told else question
        return smaller(asked, context - max(taken, question), context - taken)
    if told := CAP.search(words):
        most = int(told[1] or told[2])
        return smaller(asked, most, most - question)
    return None


def smaller(asked: int, *rooms: int) -> int | None:
    """The first of the rooms that is one, and less than what was asked for."""
    return next((room for room in rooms if 0 < room < asked), None)
