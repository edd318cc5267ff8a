"""Other forms of a token: the header of a request, and the credential that Kubernetes' clients read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Protocol

from typer import BadParameter

from ..errors import ImdsResponseError, ImdsValidationError
from .settings import Settings
from .values import MASK, is_object

if TYPE_CHECKING:
    from .._tokens.access_token import AccessToken

#: The variable in which Kubernetes' clients describe what they need, and the versions that they may ask for.
EXEC_INFO = "KUBERNETES_EXEC_INFO"
_GROUP = "client.authentication.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")


class Form(Protocol):
    """Makes the text of an answer that was requested at these times (Unix and monotonic, in seconds)."""

    def __call__(self, answer: Any, asked: float, asked_monotonic: float, /, *, hide: bool) -> str: ...


def choose_form(settings: Settings, *, header: bool, exec_credential: bool) -> Form:
    """The form that the options ask for.

    Raises:
        BadParameter: the options cannot be combined.
        ImdsValidationError: the variable of Kubernetes' client is wrong.
    """
    if header and exec_credential:
        raise BadParameter("pass only one of --header, --exec-credential")
    if settings.output or settings.query:
        name = "--header" if header else "--exec-credential"
        raise BadParameter(f"{name} cannot be combined with --output or --query")
    version = read_exec_version() if exec_credential else ""

    def form(answer: Any, asked: float, asked_monotonic: float, /, *, hide: bool) -> str:
        token = read_token(answer, asked, asked_monotonic)
        if header:
            return format_header(token, hide=hide)
        return json.dumps(make_exec_credential(token, version, hide=hide), indent=2)

    return form


def read_token(answer: Any, asked: float, asked_monotonic: float) -> AccessToken:
    """The token of an answer with its times, checked like those of credentials.

    Raises:
        ImdsResponseError: the lifetime of the token is unknown, or it cannot be sent in a header.
    """
    from .._tokens.cache import Entry, read_entry

    entry = read_entry(answer, asked, asked_monotonic)
    if not isinstance(entry, Entry):
        raise ImdsResponseError(f"the response with the token cannot be used: {entry}", status_code=200)
    return entry.token


def format_header(token: AccessToken, *, hide: bool) -> str:
    """The header that sends a token, for `curl --header @-`."""
    return f"Authorization: {token.token_type} {MASK + ' (to print it, use --raw)' if hide else token.token}"


def read_exec_version() -> str:
    """The version of the credential that Kubernetes' client asks for. Without a client, it is the stable one.

    Raises:
        ImdsValidationError: the variable is not what such a client sets, or asks for another version.
    """
    text = os.environ.get(EXEC_INFO, "")
    if not text.strip():
        return _VERSIONS[0]
    example = f'for example {{"apiVersion": "{_VERSIONS[0]}", "kind": "ExecCredential", "spec": {{}}}}'
    info: Any = None
    try:
        info = json.loads(text)
    except (ValueError, RecursionError):
        raise ImdsValidationError(f"{EXEC_INFO} must be JSON, {example}") from None
    if not is_object(info) or info.get("kind") != "ExecCredential":
        raise ImdsValidationError(f"{EXEC_INFO} must be an ExecCredential, {example}")
    if info.get("apiVersion") not in _VERSIONS:
        raise ImdsValidationError(
            f"{EXEC_INFO}: apiVersion must be {' or '.join(_VERSIONS)}. Change the apiVersion in your kubeconfig"
        )
    version: str = info["apiVersion"]
    return version


def make_exec_credential(token: AccessToken, version: str, *, hide: bool) -> dict[str, Any]:
    """What an exec plugin of Kubernetes prints."""
    return {
        "apiVersion": version,
        "kind": "ExecCredential",
        "status": {
            "token": MASK if hide else token.token,
            "expirationTimestamp": f"{token.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    }
