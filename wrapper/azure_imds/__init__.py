"""Azure's Instance Metadata Service: tokens without secrets, and everything else the machine knows about itself.

    from azure_imds import ImdsClient

    with ImdsClient() as imds:
        imds.identity.get_token(resource="https://vault.azure.net").access_token
        imds.instances.get_metadata().compute.location

Importing this package imports nothing else; each name brings what it needs when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure_imds_api.api import SPEC_VERSION as spec_version

    from . import attestation as attestation
    from . import errors as errors
    from ._client.client import AsyncImdsClient, ImdsClient
    from ._client.retry import RetryPolicy
    from ._events.changes import EventChange
    from ._events.watcher import EventWatcher
    from ._tokens.cache import AccessToken
    from ._tokens.credential import AsyncImdsCredential, ImdsCredential
    from ._tokens.httpx_auth import ImdsAuth
    from ._values import as_address, as_bool, as_int, primary_interface, tags, user_data
    from ._version import __version__
    from .errors import (
        ArcChallengeError,
        AttestationError,
        BadRequestError,
        ForbiddenError,
        GoneError,
        IdentityNotFoundError,
        ImdsError,
        ImdsResponseError,
        ImdsStatusError,
        ImdsTimeoutError,
        ImdsUnavailableError,
        ImdsValidationError,
        InvalidResourceError,
        MultipleIdentitiesError,
        NotFoundError,
        ServerError,
        ThrottledError,
        UnsupportedApiVersionError,
    )

__all__ = [
    "AccessToken",
    "ArcChallengeError",
    "AsyncImdsClient",
    "AsyncImdsCredential",
    "AttestationError",
    "BadRequestError",
    "EventChange",
    "EventWatcher",
    "ForbiddenError",
    "GoneError",
    "IdentityNotFoundError",
    "ImdsAuth",
    "ImdsClient",
    "ImdsCredential",
    "ImdsError",
    "ImdsResponseError",
    "ImdsStatusError",
    "ImdsTimeoutError",
    "ImdsUnavailableError",
    "ImdsValidationError",
    "InvalidResourceError",
    "MultipleIdentitiesError",
    "NotFoundError",
    "RetryPolicy",
    "ServerError",
    "ThrottledError",
    "UnsupportedApiVersionError",
    "__version__",
    "as_address",
    "as_bool",
    "as_int",
    "primary_interface",
    "spec_version",
    "tags",
    "user_data",
]

#: Where each name lives; what is not here is an error.
_HOME = {
    "AccessToken": "._tokens.cache",
    "AsyncImdsClient": "._client.client",
    "AsyncImdsCredential": "._tokens.credential",
    "EventChange": "._events.changes",
    "EventWatcher": "._events.watcher",
    "ImdsAuth": "._tokens.httpx_auth",
    "ImdsClient": "._client.client",
    "ImdsCredential": "._tokens.credential",
    "RetryPolicy": "._client.retry",
    "__version__": "._version",
    **dict.fromkeys(("as_address", "as_bool", "as_int", "primary_interface", "tags", "user_data"), "._values"),
}


def __getattr__(name: str) -> object:
    if name in ("attestation", "errors"):
        return import_module(f".{name}", __name__)
    if name == "spec_version":
        value: object = import_module("azure_imds_api.api").SPEC_VERSION
    elif name in __all__:
        value = getattr(import_module(_HOME.get(name, ".errors"), __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
