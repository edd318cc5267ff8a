"""`bearer_token_provider`: a function that returns the text of a token, for libraries that take nothing else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from .._client.validation import invalid
from .credential import ImdsCredential
from .credential_base import CredentialBase, check_scope

if TYPE_CHECKING:
    from .async_credential import AsyncImdsCredential


@overload
def bearer_token_provider(credential: ImdsCredential, scope: str) -> Callable[[], str]: ...


@overload
def bearer_token_provider(credential: AsyncImdsCredential, scope: str) -> Callable[[], Coroutine[Any, Any, str]]: ...


def bearer_token_provider(credential: ImdsCredential | AsyncImdsCredential, scope: str) -> Callable[[], Any]:
    """Returns a function without arguments that returns a bearer token as text, for OpenAI's client and others.

        OpenAI(base_url=..., api_key=bearer_token_provider(ImdsCredential(), "https://ai.azure.com/.default"))

    Call it for each request. It returns the credential's stored token while it is valid, as `get_token` does.

    Args:
        credential: an `ImdsCredential`. For an `AsyncImdsCredential`, the function is a coroutine function.
        scope: the scope or resource of the service.

    Returns:
        The function. It raises what `get_token` raises. It can be pickled, without a token.

    Raises:
        ImdsValidationError: the scope is blank or malformed, or the credential is not one of the two.
    """
    check_scope(scope, "bearer_token_provider")
    if not isinstance(credential, CredentialBase):
        problem = f"must be an ImdsCredential or an AsyncImdsCredential, not {type(credential).__name__}"
        raise invalid("credential", problem, "bearer_token_provider")
    read: Any = _read_text if isinstance(credential, ImdsCredential) else _aread_text
    return partial(read, credential, scope)


def _read_text(credential: ImdsCredential, scope: str) -> str:
    return credential.get_token(scope).token


async def _aread_text(credential: AsyncImdsCredential, scope: str) -> str:
    return (await credential.get_token(scope)).token
