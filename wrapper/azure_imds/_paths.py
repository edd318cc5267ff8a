"""Sub-paths of /instance, which the specification describes in words only: the part of the document that they name."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from attrs import evolve

from azure_imds_api.api import Operation
from azure_imds_api.api.instances import INSTANCES_GET_METADATA

from .errors import ImdsValidationError

#: Microsoft Learn, "Azure Instance Metadata Service": a scalar is given as text only, an object or array as JSON.
_TEXT = {"format_": "text"}


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
    suffix = "/" + "/".join(quote(segment, safe="") for segment in segments)
    whole = INSTANCES_GET_METADATA

    def build(**arguments: Any) -> dict[str, Any]:
        request = whole.build(**arguments)
        return {**request, "url": request["url"] + suffix}

    return evolve(whole, build=build, parse=_value, answer={})


def arguments(api_version: str | None, *, text: bool = False) -> dict[str, Any]:
    """The arguments of a node's operation."""
    return {**({"api_version": api_version} if api_version is not None else {}), **(_TEXT if text else {})}


def _value(*, client: Any, response: Any) -> Any:
    if response.headers.get("content-type", "").startswith("text/"):
        return response.text
    return json.loads(response.content)
