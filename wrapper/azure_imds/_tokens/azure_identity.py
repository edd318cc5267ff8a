"""Errors that azure-identity's credential chains recognize. azure-identity itself is never imported."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from ..errors import BadRequestError, ImdsError, ImdsUnavailableError

#: Attributes that handlers of azure-core's errors read. azure-core's constructors set them, but are not called here.
_AZURE_ATTRIBUTES = (
    *("inner_exception", "continuation_token", "exc_type", "exc_value", "exc_traceback", "exc_msg"),
    *("reason", "status_code", "response", "model", "error"),
)


def as_chain_error(error: Exception) -> Exception:
    """Converts an error so that azure-identity's `ChainedTokenCredential` tries the next credential.

    A machine without IMDS, or without the requested identity, should not end a chain. If the program has imported
    azure-identity, such an error becomes an instance of both its own class and `CredentialUnavailableError`.

    Returns:
        The converted error, or the same error if no conversion is needed.
    """
    identity = sys.modules.get("azure.identity")
    if identity is None or not isinstance(error, (ImdsUnavailableError, BadRequestError)):
        return error
    unavailable = getattr(identity, "CredentialUnavailableError", None)
    if unavailable is None or isinstance(error, unavailable):
        return error
    kind: Any = type(error)
    made: Exception = _combined_class(kind, unavailable).convert(error)
    return made


@cache
def _combined_class(kind: type[ImdsError], unavailable: type[Exception]) -> Any:
    def convert(cls: type[ImdsError], error: ImdsError) -> ImdsError:
        made = cls.__new__(cls)
        made.args = error.args
        made.__dict__.update({name: None for name in _AZURE_ATTRIBUTES if not hasattr(kind, name)})
        made.__dict__["message"] = str(error)
        made.__dict__.update(error.__dict__)
        made.__cause__ = error.__cause__
        return made

    def reduce(self: ImdsError) -> Any:
        return _rebuild_error, (kind, self.args, self.__dict__)

    body = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__str__": Exception.__str__,
        "__reduce__": reduce,
        "convert": classmethod(convert),
    }
    return type(kind.__name__, (kind, unavailable), body)


def _rebuild_error(kind: type[ImdsError], args: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    """Rebuilds a pickled or copied error. Without azure-identity, it is an error of this package only."""
    error = kind(*args)
    error.__dict__.update(state)
    return as_chain_error(error)
