"""Headers and query parameters that a program adds to every request. Imported only if a program adds some."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from azure_imds_api.api import SERVERS, Operation
from azure_imds_api.descriptions import DESCRIPTIONS

from .validation import invalid, to_plain

#: Pairs of name and value. Hashable, as a part of keys.
Pairs = tuple[tuple[str, str], ...]

_HEADERS_EXAMPLE = '{"x-ms-correlation-request-id": "7f3c"}'
_PARAMS_EXAMPLE = '{"feature": "preview"}'

#: Headers of the connection and of credentials, those that the client sets, and those that IMDS refuses.
_RESERVED = re.compile(
    r"accept|accept-encoding|authorization|connection|content-.*|cookie|expect|forwarded|host|keep-alive|proxy-.*|te|"
    r"trailer|transfer-encoding|upgrade|x-forwarded-.*|x-ms-client-request-id"
)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PARAMETER_NAME = re.compile(r"[$.0-9A-Za-z_~-]+")
_VALUE = re.compile(r"[ -~]*")


def check_headers(headers: object) -> Pairs:
    """Returns headers that may be added to each request.

    Raises:
        ImdsValidationError: a name or value is malformed, or the client or the specification uses the name.
    """
    pairs = _check_pairs("headers", headers, _HEADER_NAME, _HEADERS_EXAMPLE)
    for name, value in pairs:
        if _RESERVED.fullmatch(name.lower()) or name.lower() in _declared_names()["header"]:
            problem = f"must not contain {name}, which is not yours to set. Add other ones, for example"
            raise invalid("headers", f"{problem} {_HEADERS_EXAMPLE}")
        if value != value.strip():
            raise invalid("headers", f"must not have spaces around a value, for example {_HEADERS_EXAMPLE}")
    return pairs


def check_params(params: object) -> Pairs:
    """Returns query parameters that may be added to each request.

    Raises:
        ImdsValidationError: a name or value is malformed, or the specification uses the name.
    """
    pairs = _check_pairs("params", params, _PARAMETER_NAME, _PARAMS_EXAMPLE)
    for name, _ in pairs:
        if name.lower() in _declared_names()["query"]:
            problem = f"must not contain {name}, which is an argument of methods. Add other ones, for example"
            raise invalid("params", f"{problem} {_PARAMS_EXAMPLE}")
    return pairs


def _check_pairs(parameter: str, given: object, name_form: re.Pattern[str], example: str) -> Pairs:
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise invalid(parameter, f"must be a dict of names and values, for example {example}")
    pairs: list[tuple[str, str]] = []
    seen: set[str] = set()
    items: Mapping[Any, Any] = given  # pyright: ignore[reportUnknownVariableType]
    for name, value in items.items():
        if not isinstance(name, str) or not name_form.fullmatch(name):
            raise invalid(parameter, f"contains a name that is not allowed. A right one is in {example}")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            problem = f"must have printable ASCII text as the value of {name}, for example {example}"
            raise invalid(parameter, problem)
        if name.lower() in seen:
            raise invalid(parameter, f"must contain {name} only once, for example {example}")
        seen.add(name.lower())
        pairs.append((to_plain(name), to_plain(value)))
    return tuple(pairs)


@cache
def _declared_names() -> Mapping[str, frozenset[str]]:
    """The names of headers and query parameters that the specification declares, on any host, in lower case."""
    found: dict[str, set[str]] = {"header": set(), "query": set()}
    for operation in _operations():
        for rule in operation.rules.values():
            if rule["in"] in found:
                found[rule["in"]] |= {name.lower() for name in (rule["name"], *rule.get("aliases", ()))}
            elif rule["in"] == "body":
                # Some servers read members of a form from the query as well.
                found["query"] |= {member.lower() for member in rule.get("properties", ())}
    return {place: frozenset(names) for place, names in found.items()}


def _operations() -> Iterator[Operation[Any]]:
    """Every operation of the specification, with those of other hosts."""
    tags = {name.partition(".")[0] for name in DESCRIPTIONS}
    tags |= {place.partition(".")[0] for server in SERVERS.values() for place in (server.operations or {}).values()}
    for tag in sorted(tags):
        values = vars(import_module(f"azure_imds_api.api.{tag}")).values()
        yield from (value for value in values if isinstance(value, Operation))
