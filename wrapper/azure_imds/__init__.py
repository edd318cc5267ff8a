"""Azure's Instance Metadata Service (IMDS): the machine's metadata, and tokens without stored secrets.

    from azure_imds import ImdsClient

    with ImdsClient() as imds:
        imds.identity.get_token(resource="https://vault.azure.net").access_token
        imds.instances.get_metadata().compute.location

Importing this package imports none of its modules. The first use of a name imports the module that defines it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

#: The module of each public name, except errors (`errors.__all__`). A test compares it with the imports below.
_MODULES = {
    "AccessToken": "_tokens.access_token",
    "AsyncImdsClient": "_client.async_client",
    "AsyncImdsCredential": "_tokens.async_credential",
    "Clock": "_clock",
    "EventChange": "_events.changes",
    "EventWatcher": "_events.watcher",
    "ImdsAuth": "_tokens.httpx_auth",
    "ImdsClient": "_client.client",
    "ImdsCredential": "_tokens.credential",
    "ObservedCall": "_client.observation",
    "RetryPolicy": "_client.retry",
    "__version__": "_version",
    "as_address": "_values",
    "as_bool": "_values",
    "as_int": "_values",
    "bearer_token_provider": "_tokens.token_provider",
    "primary_interface": "_values",
    "tags": "_values",
    "user_data": "_values",
}

if TYPE_CHECKING:
    from . import attestation as attestation
    from . import errors as errors
    from ._client.async_client import AsyncImdsClient as AsyncImdsClient
    from ._client.client import ImdsClient as ImdsClient
    from ._client.observation import ObservedCall as ObservedCall
    from ._client.retry import RetryPolicy as RetryPolicy
    from ._clock import Clock as Clock
    from ._events.changes import EventChange as EventChange
    from ._events.watcher import EventWatcher as EventWatcher
    from ._tokens.access_token import AccessToken as AccessToken
    from ._tokens.async_credential import AsyncImdsCredential as AsyncImdsCredential
    from ._tokens.credential import ImdsCredential as ImdsCredential
    from ._tokens.httpx_auth import ImdsAuth as ImdsAuth
    from ._tokens.token_provider import bearer_token_provider as bearer_token_provider
    from ._values import as_address as as_address
    from ._values import as_bool as as_bool
    from ._values import as_int as as_int
    from ._values import primary_interface as primary_interface
    from ._values import tags as tags
    from ._values import user_data as user_data
    from ._version import __version__ as __version__
    from .errors import *  # noqa: F403

    spec_version: str
else:
    # Type checkers do not read this branch: a module with `__getattr__` has every name for them.

    def __getattr__(name: str) -> object:
        if name in ("attestation", "errors"):
            return _import(f".{name}")
        if name in _MODULES:
            value = getattr(_import(f".{_MODULES[name]}"), name)
        elif name == "spec_version":
            value = _import("azure_imds_api.api").SPEC_VERSION
        elif name == "__all__":
            value = sorted({*_MODULES, "spec_version", *_import(".errors").__all__})
        else:
            errors = _import(".errors")
            if name not in errors.__all__:
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
            value = getattr(errors, name)
        globals()[name] = value
        return value

    def _import(module: str) -> Any:
        try:
            return import_module(module, __name__)
        except AttributeError as error:
            # As an AttributeError, it would mean that this package lacks the name.
            raise ImportError(f"{__name__} cannot import {module.lstrip('.')}: AttributeError: {error}") from error

    def __dir__() -> list[str]:
        return sorted({*globals(), *__getattr__("__all__")})
