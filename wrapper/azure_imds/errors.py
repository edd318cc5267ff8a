"""What can go wrong, in one tree.

    ImdsError                      everything below
    ├── ImdsValidationError        a bad argument; raised before any I/O; also ValueError
    ├── ImdsUnavailableError       nothing here that speaks IMDS: refused, unreachable, disabled
    │   └── ImdsTimeoutError       no answer in time; also TimeoutError
    ├── ImdsStatusError            IMDS said no
    │   ├── BadRequestError        400
    │   │   ├── IdentityNotFoundError
    │   │   ├── MultipleIdentitiesError
    │   │   ├── InvalidResourceError
    │   │   └── UnsupportedApiVersionError
    │   ├── ForbiddenError         403
    │   ├── NotFoundError          404
    │   ├── GoneError              410
    │   ├── ThrottledError         429
    │   └── ServerError            5xx
    ├── ImdsResponseError          a success that cannot be read
    ├── ArcChallengeError          Azure Arc's key-file handshake went wrong
    └── AttestationError           an attested document that proves nothing

Every error survives pickling, and none holds a token, a key or a byte of a successful body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import httpx

__all__ = [
    "ArcChallengeError",
    "AttestationError",
    "BadRequestError",
    "ForbiddenError",
    "GoneError",
    "IdentityNotFoundError",
    "ImdsError",
    "ImdsResponseError",
    "ImdsStatusError",
    "ImdsTimeoutError",
    "ImdsUnavailableError",
    "ImdsValidationError",
    "InvalidResourceError",
    "MultipleIdentitiesError",
    "NotFoundError",
    "Reason",
    "ServerError",
    "ThrottledError",
    "UnsupportedApiVersionError",
]


class ImdsError(Exception):
    """Anything that this package raises.

    Attributes:
        url: the URL that was asked, or "" where nothing was sent.
        attempts: how many requests were sent for this call; 0 where nothing was sent.
        elapsed: seconds from the start of the call to this error.
        retryable: whether the same call may succeed later with nothing changed.
        hint: what to do next, in a sentence; "" where nothing useful is known.
    """

    url: str = ""
    attempts: int = 0
    elapsed: float = 0.0
    retryable: bool = False
    hint: str = ""

    def __init__(self, message: str = "", **facts: Any) -> None:
        super().__init__(message)
        for name, value in facts.items():
            setattr(self, name, value)


class ImdsValidationError(ImdsError, ValueError):
    """An argument that IMDS would refuse, or that could not be sent safely. Nothing was sent.

    Attributes:
        parameter: the argument's name as the caller wrote it; "" where none is to blame.
    """

    parameter: str = ""


class ImdsUnavailableError(ImdsError):
    """Nothing here speaks IMDS: refused, unreachable, not IMDS's answer, disabled, or a host with another API."""


class ImdsTimeoutError(ImdsUnavailableError, TimeoutError):
    """No answer within the deadline.

    Attributes:
        deadline: the seconds that the whole call was given.
    """

    deadline: float = 0.0


class ImdsStatusError(ImdsError):
    """IMDS answered, and the answer is no.

    Attributes:
        status_code: the HTTP status.
        error: IMDS's own code or text (`error` in the body), or None.
        error_description: IMDS's own description (identity endpoints only), or None.
        request_id: the answer's x-ms-request-id, else the x-ms-client-request-id that was sent.
        details: the body as the model that the specification gives for this status, or None if it does not fit.
        response: the answer as httpx saw it; its request carries no credentials.
    """

    status_code: int = 0
    error: str | None = None
    error_description: str | None = None
    request_id: str | None = None
    details: Any = None
    response: httpx.Response | None = None


class BadRequestError(ImdsStatusError):
    """400: the request is wrong, and stays wrong when repeated."""


class IdentityNotFoundError(BadRequestError):
    """The machine has no managed identity, or not the one that was asked for."""


class MultipleIdentitiesError(BadRequestError):
    """Several user-assigned identities and no system-assigned one: the request must name one."""


class InvalidResourceError(BadRequestError):
    """The tenant does not know the resource that the token is for."""


class UnsupportedApiVersionError(BadRequestError):
    """This host does not know the api-version.

    Attributes:
        newest_versions: the newest versions that the host says it knows, newest first.
    """

    newest_versions: tuple[str, ...] = ()


class ForbiddenError(ImdsStatusError):
    """403: something between this process and IMDS does not let it through."""


class NotFoundError(ImdsStatusError):
    """404: no such path or thing; on identity, possibly not there yet."""


class GoneError(ImdsStatusError):
    """410: IMDS is being updated; it returns within 70 seconds."""


class ThrottledError(ImdsStatusError):
    """429: too many requests from this machine.

    Attributes:
        retry_after: the seconds that the answer asked to wait, or None.
    """

    retry_after: float | None = None


class ServerError(ImdsStatusError):
    """5xx: IMDS, or a gateway before it, failed."""


class ImdsResponseError(ImdsError):
    """A successful status with a body that cannot be read: not JSON, too large, or without a required member.

    It holds no byte of the body, which might be a token.

    Attributes:
        status_code: the HTTP status.
    """

    status_code: int = 0


class ArcChallengeError(ImdsError):
    """Azure Arc's challenge could not be answered safely: the message says which check failed."""


#: What was wrong, for programs. `docs/attestation.md` says what each means and what to do.
Reason = Literal[
    "not_a_document",
    "too_large",
    "not_base64",
    "trailing_bytes",
    "not_pkcs7",
    "no_certificate",
    "several_certificates",
    "unsupported_layout",
    "unsupported_algorithm",
    "bad_certificate",
    "wrong_signer",
    "wrong_content",
    "wrong_signature",
    "wrong_name",
    "wrong_usage",
    "certificate_expired",
    "certificate_not_yet_valid",
    "intermediate_missing",
    "untrusted_chain",
    "no_roots",
    "payload_unreadable",
    "payload_incomplete",
    "wrong_nonce",
    "expired",
    "not_yet_valid",
]


class AttestationError(ImdsError):
    """An attested document that proves nothing. It holds no part of the document but names from its certificate.

    Attributes:
        reason: which check failed, as a word of `Reason`.
    """

    reason: Reason = "not_a_document"
