"""Sub-paths of /instance, which the specification describes in words only: the part of the document that they name."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from attrs import evolve

from azure_imds_api.api import Operation

from ..errors import ImdsValidationError
from .error_mapping import text_of

#: Microsoft Learn, "Azure Instance Metadata Service": a scalar is given as text only, an object or array as JSON.
_TEXT = {"format_": "text"}

_PAGE = re.compile(r"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)


def node_at(path: str) -> Operation[Any]:
    """The operation that reads one node, such as `compute/location` or `network/interface/0`.

    Raises:
        ImdsValidationError: the path is empty, or would lead out of /instance.
    """
    segments = path.strip("/").split("/") if isinstance(path, str) else []
    if not segments or any(
        s in ("", ".", "..") or not s.isprintable() or any(c in "?#%\\" for c in s) for s in segments
    ):
        raise ImdsValidationError(
            "path must be names and indexes with a / between them, such as compute/location", parameter="path"
        )
    from azure_imds_api.api.instances import INSTANCES_GET_METADATA  # and with it the models, so only where needed

    suffix = "/" + "/".join(quote(segment, safe="") for segment in segments)
    whole = INSTANCES_GET_METADATA

    def build(**arguments: Any) -> dict[str, Any]:
        request = whole.build(**arguments)
        return {**request, "url": request["url"] + suffix}

    def parse(*, client: Any, response: Any) -> Any:
        if response.status_code != 200:
            return whole.parse(client=client, response=response)
        return _value(response)

    # The method itself does not offer `format`, because only sub-paths have a text form.
    rules = {name: rule for name, rule in whole.rules.items() if name not in _TEXT}
    return evolve(whole, build=build, parse=parse, answer={}, rules=rules)


def arguments(api_version: str | None, *, text: bool = False) -> dict[str, Any]:
    """The arguments of a node's operation."""
    return {**({"api_version": api_version} if api_version is not None else {}), **(_TEXT if text else {})}


def _value(response: Any) -> Any:
    """The node in an answer, whose content type nobody documents: text where text was asked for, else rather JSON."""
    text = text_of(response)
    if _PAGE.match(text) or "html" in response.headers.get("content-type", ""):
        raise ValueError("a web page")
    if response.request.url.params.get("format") == "text":
        return text
    try:
        value: Any = json.loads(response.content)
    except ValueError:
        if response.headers.get("content-type", "").startswith("text/"):
            return text
        raise
    # Digits are text here as everywhere in the document, quoted or not.
    return text if value is None or isinstance(value, (int, float)) else value
