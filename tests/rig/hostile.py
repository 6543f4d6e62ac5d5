"""Page content that must do nothing: in texts, tables, names and doubts."""

from __future__ import annotations

from typing import Any

ELSEWHERE = "http://127.0.0.1:9/"  # the discard port: a request there means that an attack worked
PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "</style><script>alert(3)</script>",
    "<img src=x onerror=alert(4)>",
    f"<img src={ELSEWHERE}5.png>",
    "<svg onload=alert(6)><animate onbegin=alert(6) attributeName=x></svg>",
    "<svg><script>alert(7)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(8)></style></mglyph></table>",
    "<math><mtext></mtext><a xlink:href=javascript:alert(9)>x</a></math>",
    f"<iframe src={ELSEWHERE}10></iframe><iframe srcdoc='<script>parent.alert(10)</script>'>",
    f"<link rel=stylesheet href={ELSEWHERE}11.css><style>@import '{ELSEWHERE}11.css';</style>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}12'><base href={ELSEWHERE}>",
    f"<form action={ELSEWHERE}13><input autofocus onfocus=alert(13)><button>x</button></form>",
    f'<p style="background:url({ELSEWHERE}14)" onmouseenter=alert(14) tabindex=0>x</p>',
    "<a href=javascript:alert(15)>x</a><a href='data:text/html,<script>alert(15)</script>'>x</a>",
    f"<video src={ELSEWHERE}16 autoplay onerror=alert(16)></video><object data={ELSEWHERE}16>",
    "<details open ontoggle=alert(17)>x</details><marquee onstart=alert(17)>x</marquee>",
    "<noscript><p title='</noscript><img src=x onerror=alert(18)>'></noscript>",
    "<template><img src=x onerror=alert(19)></template><plaintext>",
    "<td background=x onclick=alert(20)>x</td><textarea autofocus onfocus=alert(20)>",
    '[x](javascript:alert(21)) ![x](x" onerror=alert(21)) <javascript:alert(21)>',
    r"\href{javascript:alert(22)}{x} \text{<img src=x onerror=alert(22)>} \style{x:y}{z}",
    r"\class{x\" onclick=\"alert(23)}{y} \color{red;background:url(http://127.0.0.1:9/23)}{z}",
    r"\text{&lt;script&gt;alert(24)&lt;/script&gt;} \unicode{x3c} \char60",
    "\"'><script>alert(25)</script>",
    "${alert(26)} {{alert(26)}} {% raw %} `${alert(26)}`",
    "__proto__",
    "\u2028\u2029\u202e\u0000\ufeff\ud800 \x1b[31m",
    "<!--><script>alert(27)</script>--> <![CDATA[<script>alert(27)</script>]]> <?x ?>",
    "<b id=list name=dots>x</b><form id=viewer><input id=overview name=dots></form>",
)
NAMES = (
    "<img src=x onerror=alert(31)>.png",
    '"><svg onload=alert(32)>.png',
    "javascript:alert(33)/page.png",
    "</script><script>alert(34)<!--/'\"`$%{}.png",
    "__proto__/constructor.png",
    "a#b?c&d=e%20f+g;h/..page.png",
    "\u202egnp.exe/한글 이름.png",
    "http:/127.0.0.1:9/35.png",
)
NUMBERS: tuple[Any, ...] = (
    *(float("nan"), float("inf"), float("-inf"), 1e300, -1e300, 10**400, 10**15, -1, -0.0, 1e-300),
    *(True, None, "7", [], {}, [[7]]),
)


def doubt_of_all(value: Any, kind: Any = "missed") -> dict[str, Any]:
    """A doubt with this value in every part."""
    names = ("lines", "ratio", "of", "precision", "recall", "digits", "words")
    detail = dict.fromkeys((*names, "agreement", "why", "engine", "x"), value)
    return {"kind": kind, "bbox": [value] * 4, "cell": value, "detail": detail}


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def doubt_in_words(text: str, kind: str) -> dict[str, Any]:
    """A doubt that shows this text."""
    detail = {"agreement": 0.5, "engine": text, "why": text}
    return {"kind": kind, "bbox": [0, 0, 9, 9], "cell": 0, "detail": detail}


def hostile_doubts(kinds: tuple[str, ...]) -> list[Any]:
    """Bad values for a line's doubts, with these kinds and with others."""
    nowhere = {"bbox": [9, 9, 1, 1], "cell": 10**9}
    details = (*NUMBERS, nested(400), {"why": {"why": PAYLOADS[0]}})
    return [
        *(None, 3, "missed", {"kind": "missed"}, nested(400), [nested(400), None, 3, "x", [], {}]),
        *([doubt_in_words(text, kind) for text in PAYLOADS] for kind in kinds),
        [doubt_of_all(value, kind) for kind in kinds for value in NUMBERS],
        [doubt_of_all(7, kind) for kind in (*PAYLOADS, *NUMBERS, "toString", "of")],
        [{"kind": kind, **nowhere, "detail": detail} for kind in kinds for detail in details],
        [doubt_of_all(1, kind) for kind in kinds] * (20_000 // len(kinds)),
    ]
