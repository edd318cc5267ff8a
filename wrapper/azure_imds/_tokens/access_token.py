"""`AccessToken`: the token that a credential returns."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from azure.core.credentials import AccessToken as _Pair
    from azure.core.credentials import AccessTokenInfo

    # For type checkers, azure-core's clients accept only these classes. At run time they use only the attributes.
    class _Base(_Pair, AccessTokenInfo): ...

else:

    class _Base:
        """Unpacks and indexes like azure-core's named tuple.

        It is not a tuple: programs that write any tuple to a log or to JSON would show the token.
        """

        __slots__ = ()

        def __iter__(self) -> Iterator[str | int]:
            return iter((self.token, self.expires_on))

        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: Any) -> Any:
            return (self.token, self.expires_on)[index]


@frozen(order=False)
class AccessToken(_Base):
    """A token and its times, with the attributes that azure-core's clients use. The repr hides the token.

    It can be used as azure-core's pair too: `token, expires_on = credential.get_token(scope)`.

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

    @property
    def expires_at(self) -> datetime:
        """The time at which the token expires, in UTC."""
        from datetime import datetime

        return datetime.fromtimestamp(self.expires_on, UTC)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("AccessToken cannot be pickled: pickle the credential, and call get_token in the other process")

    def __copy__(self) -> AccessToken:
        return self

    def __deepcopy__(self, memo: Any) -> AccessToken:
        return self
