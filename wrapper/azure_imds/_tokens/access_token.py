"""`AccessToken`: the token that a credential returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from attrs import field, frozen

if TYPE_CHECKING:
    # For type checkers, azure-core's clients accept only this class. At run time they use only the attributes.
    from azure.core.credentials import AccessToken as _Base
else:
    _Base = object


@frozen(order=False)
class AccessToken(_Base):
    """A token and its times, with the attributes that azure-core's clients use. The repr hides the token.

    Attributes:
        token: the bearer token. Treat it as opaque, and as a secret.
        expires_on: the Unix time, in seconds, at which the token expires.
        refresh_on: the Unix time, in seconds, from which the token should be replaced. None: no time is known.
        token_type: `Bearer`.
    """

    token: str = field(repr=False)  # pyright: ignore[reportIncompatibleVariableOverride]
    expires_on: int  # pyright: ignore[reportIncompatibleVariableOverride]
    refresh_on: int | None = None
    token_type: str = "Bearer"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("AccessToken cannot be pickled: pickle the credential, and call get_token in the other process")

    def __copy__(self) -> AccessToken:
        return self

    def __deepcopy__(self, memo: Any) -> AccessToken:
        return self
