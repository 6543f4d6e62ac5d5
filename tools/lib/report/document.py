"""The HTML of a report: one file with its style and script in it, and a policy that allows these.

The policy names the script by its hash. What that script loads is allowed too (strict-dynamic).
Nothing else is: no other script or style, no request to anywhere, no pictures but those next to
the file.
"""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
STATIC = HERE / "static"
SHARED_STYLES = ("base.css", "controls.css", "sheet.css")
SHARED_SCRIPTS = (
    *("dom.js", "words.js", "head.js", "list.js", "search.js", "doubts.js", "sheet.js"),
    "pageview.js",
)


def render(template: str, styles: tuple[str, ...], scripts: tuple[str, ...]) -> str:
    """Return a whole HTML file. All its parts are from this folder; it loads the data later."""
    style = "\n".join(map(read, (*SHARED_STYLES, *styles)))
    body = "\n".join(map(read, (*SHARED_SCRIPTS, *scripts)))
    script = f'"use strict";\n(() => {{\n{body}}})();\n'
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        style=style, script=script, policy=policy(style, script)
    )


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy of a document that contains this style and script."""
    rules = {
        "default-src": "'none'",
        "script-src": f"'{source_hash(script)}' 'strict-dynamic'",
        "style-src": f"'{source_hash(style)}'",
        "img-src": "'self' file:",  # under file://, browsers differ in what 'self' is
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "dots",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def source_hash(text: str) -> str:
    """The name that a policy uses for an inline style or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def read(name: str) -> str:
    """A file of the static folder."""
    return (STATIC / name).read_text(encoding="utf-8")
