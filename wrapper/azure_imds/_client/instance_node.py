"""Reads single nodes of the instance document. OpenAPI cannot describe sub-paths of /instance as operations."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from azure_imds_api.api import Operation

from .._interruptions import is_interruption
from .not_imds import text_of
from .validation import invalid

#: A scalar is available as text only, an object or array as JSON. (Microsoft Learn, "Azure Instance Metadata Service".)
_TEXT = {"format_": "text"}

_PAGE = re.compile(r"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)


def node_at(path: str) -> Operation[Any]:
    """The operation that reads one node, such as `compute/location` or `network/interface/0`.

    Raises:
        ImdsValidationError: the path is empty, or would leave /instance.
    """
    segments = path.strip("/").split("/") if isinstance(path, str) else []
    if not segments or any(
        s in ("", ".", "..") or not s.isprintable() or any(c in "?#%\\" for c in s) for s in segments
    ):
        raise invalid("path", "must be names and indexes separated by /, for example compute/location", "get")
    from azure_imds_api.api.instances import INSTANCES_GET_METADATA  # only here: most programs want tokens

    suffix = "/" + "/".join(quote(segment, safe="") for segment in segments)
    whole = INSTANCES_GET_METADATA

    def build(**arguments: Any) -> dict[str, Any]:
        request = whole.build(**arguments)
        return {**request, "url": request["url"] + suffix}

    def parse(*, client: Any, response: Any) -> Any:
        if response.status_code != 200:
            return whole.parse(client=client, response=response)
        return _value(response)

    def hint(status: int) -> str:
        if status != 404:
            return whole.hints.get(status, "")
        from .path_suggestions import explain_missing

        return explain_missing(whole.name, segments) or whole.hints.get(status, "")

    # The method itself does not offer `format`, because only sub-paths have a text form.
    rules = {name: rule for name, rule in whole.rules.items() if name not in _TEXT}
    return whole._replace(name="get", build=build, parse=parse, answer={}, rules=rules, hints=_LazyHints(hint))


class _LazyHints(dict[int, str]):
    """Hints by status, of which each is made when it is needed."""

    def __init__(self, make: Callable[[int], str]) -> None:
        super().__init__()
        self._make = make

    def get(self, status: int, default: Any = None, /) -> Any:
        return self._make(status) or default


def arguments(api_version: str | None, *, text: bool = False) -> dict[str, Any]:
    """The arguments of the operation of a node."""
    return {**({"api_version": api_version} if api_version is not None else {}), **(_TEXT if text else {})}


def _value(response: Any) -> Any:
    """The node in a response: text if text was requested, else JSON if possible. The content type is not documented."""
    text = text_of(response)
    if _PAGE.match(text) or "html" in response.headers.get("content-type", ""):
        raise ValueError("a web page")
    if response.request.url.params.get("format") == "text":
        return text
    try:
        value: Any = json.loads(response.content)
    except ValueError as error:
        if not is_interruption(error) and response.headers.get("content-type", "").startswith("text/"):
            return text
        raise
    # Numbers are text everywhere in the document, with or without quotes.
    return text if isinstance(value, (int, float)) else value
