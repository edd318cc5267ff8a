# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.

"""A client library for accessing Azure Instance Metadata Service"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)


if not TYPE_CHECKING:
    # For type checkers, a module with `__getattr__` would have every name.

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            from . import client
        except AttributeError as error:
            # As an AttributeError, it would mean that this package lacks the name.
            raise ImportError(f"{__name__} cannot import {name}: AttributeError: {error}") from error
        return getattr(client, name)
