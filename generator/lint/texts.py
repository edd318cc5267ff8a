"""Texts of the document stay texts. They become docstrings, pages of the site, help and messages on terminals.

The site renders descriptions and docstrings as Markdown, and Markdown can contain HTML, links to scripts, and
instructions that include files. All of these are refused here, so that no place that shows a text needs to remove them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..specification import Findings, Path_, Specification
from ..terminal import is_control

#: What the Markdown of the site would not show as text. Each pattern has a name and what to write instead.
_MARKUP = [
    (r"<(?=[A-Za-z/!?]|$)", "HTML", "write it without the angle bracket, or as &lt;"),
    (r"-8<-", "an instruction that includes a file", "leave it out"),
    (r":::", "an instruction that includes documentation", "leave it out"),
    (r"\{[^}\n]*=", "an instruction that sets HTML attributes", "write it without the braces"),
    (r"!\[", "an image", "use a link"),
    (r"\]\((?!https?://)", "a link that is not to http:// or https://", "use the full URL"),
    (r"\[[^\]\n]*\]:(?!\s*https?://)", "a link that is not to http:// or https://", "use the full URL"),
]

#: Objects of which `url` is a link.
_URL = re.compile(r"https?://[^\s\"'`<>()\\]+")

#: Keys with a value that is data. It is never shown as Markdown.
_DATA = {"example", "examples", "value"}


def texts(spec: Specification) -> Findings:
    """A text contains only visible characters, and no Markdown with an effect beyond the text."""
    data = {(*node.place, key) for node in spec.nodes() if not node.is_schema for key in _DATA & node.data.keys()}
    for place, text, is_data in _strings((), spec.document, data, False):
        if control := next((character for character in text if is_control(character)), None):
            yield spec.finding(place, "control-character", f"contains the control character U+{ord(control):04X}")
        elif not is_data and place[-1] != "pattern":
            for pattern, what, remedy in _MARKUP:
                if found := re.search(pattern, text):
                    quoted = text[found.start() : found.start() + 30]
                    yield spec.finding(place, "markup", f"{quoted!r} is {what} in Markdown; {remedy}")


def urls(spec: Specification) -> Findings:
    """URLs are http or https."""
    for node in spec.nodes():
        url = node.data.get("url")
        if not node.is_schema and isinstance(url, str) and not _URL.fullmatch(url):
            yield spec.finding((*node.place, "url"), "url", f"{url[:100]!r} is not a URL such as https://example.com")


def _strings(place: Path_, node: Any, data: set[Path_], is_data: bool) -> Iterator[tuple[Path_, str, bool]]:
    """Every text of the document, names included, with its place and whether it is data."""
    is_data = is_data or place in data
    if isinstance(node, str):
        yield place, node, is_data
    elif isinstance(node, dict):
        for name, value in node.items():
            yield (*place, name), name, is_data
            yield from _strings((*place, name), value, data, is_data)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _strings((*place, index), value, data, is_data)
