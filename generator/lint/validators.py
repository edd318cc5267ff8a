"""The validators of other packages, set up so that they load nothing: neither files nor URLs.

By default they open a reference to a file, and fetch one to a URL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY
from openapi_spec_validator import OpenAPIV31SpecValidator


def make_validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Returns a validator for a schema. It knows the JSON Schema standard, and no other document."""
    return Draft202012Validator(schema, registry=REGISTRY)


class _Refusal(dict[str, Any]):
    """Handlers of URLs by scheme. There is one for every scheme, and it refuses."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Callable[[str], NoReturn]:
        return _refuse


def _refuse(url: str) -> NoReturn:
    raise LookupError(f"{url} is not part of the document")


class OpenAPIValidator(OpenAPIV31SpecValidator):
    """Validates a document without loading what it refers to."""

    resolver_handlers: Any = _Refusal()
