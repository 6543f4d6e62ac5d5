"""How many tokens an answer may have: what the context allows, or what a server's refusal says.

vLLM before 0.32 refuses a question and an answer that together go beyond its context. From then on
it shortens the answer itself. Other servers do one or the other, each in its own words.
"""

import re

from picture.images import FACTOR, MAX_PIXELS, MUCH_MORE

LONGEST_ANSWER = 16_384  # tokens; what the model was trained for
PROMPT_TOKENS = 600  # used if the server does not say how many there are
LEAST_ANSWER = 256  # the least to ask for, however large we think the question is
ANSWER_ROOM = 4096  # tokens to leave for it; most pages need a third of them, a dense one all
MORE = 2  # times the pixels, if a page is looked at again more closely

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
    """Return the tokens to ask for: context is the model's (0: unknown), question is its part."""
    if not context:
        return LONGEST_ANSWER
    return min(LONGEST_ANSWER, max(LEAST_ANSWER, context - question))


def picture_room(context: int, prompt_tokens: int) -> int:
    """Return the pixels of the largest picture that leaves a model's context room for an answer."""
    return (context - prompt_tokens - ANSWER_ROOM) * FACTOR**2


def more_pixels(max_pixels: int, context: int, prompt_tokens: int) -> int:
    """Return how many pixels a page may have when it is looked at more closely; 0 if no more.

    context is the model's, or 0 if unknown. The server then says itself if the pixels are too many.
    """
    room = picture_room(context, prompt_tokens) if context else MAX_PIXELS
    pixels = min(MORE * max_pixels, MAX_PIXELS, room)
    return pixels if pixels >= MUCH_MORE * max_pixels else 0


def room_told(refusal: str, asked: int, question: int) -> int | None:
    """Return the tokens that fit, by a server's refusal of those asked; None if it tells nothing.

    question is what we think the question takes; it counts if the words say less, or nothing.
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
    """Return the first of the rooms that is above 0, and less than what was asked for."""
    return next((room for room in rooms if 0 < room < asked), None)
