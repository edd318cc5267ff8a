"""The exceptions of this package, in one tree.

    ImdsError                      everything below
    ├── ImdsValidationError        an invalid argument; raised before any I/O; also ValueError
    ├── ImdsUnavailableError       IMDS cannot be reached: refused, unreachable, disabled, or not IMDS
    │   └── ImdsTimeoutError       no answer in time; also TimeoutError
    ├── ImdsStatusError            IMDS answered with an error status
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
    ├── ImdsResponseError          a successful response that cannot be read
    ├── ArcChallengeError          the key-file handshake with the Azure Arc agent failed
    └── AttestationError           an attested document that failed verification

Errors can be pickled and copied. No error contains a token, a key or any part of a successful response body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

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
    "ServerError",
    "ThrottledError",
    "UnsupportedApiVersionError",
]


class CallFacts(TypedDict, total=False):
    """Keyword arguments that every error takes; see `ImdsError`."""

    url: str
    attempts: int
    elapsed: float
    retryable: bool
    hint: str


class ImdsError(Exception):
    """Base class of all errors that this package raises.

    Attributes:
        url: the requested URL. "" if nothing was sent.
        attempts: the number of requests sent for this call. 0 if nothing was sent.
        elapsed: seconds from the start of the call to this error.
        retryable: whether the same call may succeed later without any change.
        hint: what to do next, as a sentence. "" if nothing useful is known.
    """

    def __init__(
        self,
        message: str = "",
        *,
        url: str = "",
        attempts: int = 0,
        elapsed: float = 0.0,
        retryable: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.url = url
        self.attempts = attempts
        self.elapsed = elapsed
        self.retryable = retryable
        self.hint = hint


class ImdsValidationError(ImdsError, ValueError):
    """An invalid argument: IMDS would refuse it, or it cannot be sent safely. Nothing was sent.

    Attributes:
        parameter: the name of the argument in the caller's spelling. "" if no single argument is wrong.
        problem: what is wrong with it, without caller and parameter: "must look like 2021-02-01".
    """

    def __init__(
        self, message: str = "", *, parameter: str = "", problem: str = "", **facts: Unpack[CallFacts]
    ) -> None:
        super().__init__(message, **facts)
        self.parameter = parameter
        self.problem = problem


class ImdsUnavailableError(ImdsError):
    """IMDS cannot be reached: refused, no route, disabled, a host with another API, or something else answers.

    If the operating system has reported an error, `__cause__` is an OSError with its `errno`.

    Attributes:
        status_code: the HTTP status, if something other than IMDS answered. Otherwise 0.
        response_text: the beginning of its answer, at most 2000 characters. Long words, which may be tokens, are
            removed.
    """

    def __init__(
        self, message: str = "", *, status_code: int = 0, response_text: str = "", **facts: Unpack[CallFacts]
    ) -> None:
        super().__init__(message, **facts)
        self.status_code = status_code
        self.response_text = response_text


class ImdsTimeoutError(ImdsUnavailableError, TimeoutError):
    """No answer within the deadline.

    Attributes:
        deadline: the seconds that the whole call was allowed to take.
    """

    def __init__(self, message: str = "", *, deadline: float = 0.0, **facts: Unpack[CallFacts]) -> None:
        super().__init__(message, **facts)
        self.deadline = deadline


class StatusFacts(CallFacts, total=False):
    """Keyword arguments that every `ImdsStatusError` takes."""

    status_code: int
    error: str | None
    error_description: str | None
    request_id: str | None
    details: Any
    response: httpx.Response | None


class ImdsStatusError(ImdsError):
    """IMDS answered with an error status.

    Attributes:
        status_code: the HTTP status.
        error: IMDS's own error code or text (`error` in the body), or None.
        error_description: IMDS's own description (identity endpoints only), or None.
        request_id: the x-ms-request-id of the response, or else the x-ms-client-request-id that was sent.
        details: the body as the model that the specification names for this status. None if it does not match.
        response: the response as an httpx.Response. Its request carries no credentials.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 0,
        error: str | None = None,
        error_description: str | None = None,
        request_id: str | None = None,
        details: Any = None,
        response: httpx.Response | None = None,
        **facts: Unpack[CallFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.status_code = status_code
        self.error = error
        self.error_description = error_description
        self.request_id = request_id
        self.details = details
        self.response = response


class BadRequestError(ImdsStatusError):
    """400: the request is wrong. Repeating it does not help."""


class IdentityNotFoundError(BadRequestError):
    """The machine has no managed identity, or does not have the requested one."""


class MultipleIdentitiesError(BadRequestError):
    """The machine has several user-assigned identities and no system-assigned one: the request must name one."""


class InvalidResourceError(BadRequestError):
    """The tenant does not know the resource that the token is for."""


class UnsupportedApiVersionError(BadRequestError):
    """This host does not support the api-version.

    Attributes:
        newest_versions: the newest versions that the host supports, newest first.
    """

    def __init__(
        self, message: str = "", *, newest_versions: tuple[str, ...] = (), **facts: Unpack[StatusFacts]
    ) -> None:
        super().__init__(message, **facts)
        self.newest_versions = newest_versions


class ForbiddenError(ImdsStatusError):
    """403: something between this process and IMDS blocks the request."""


class NotFoundError(ImdsStatusError):
    """404: the path or object does not exist. On identity calls, it may not exist yet."""


class GoneError(ImdsStatusError):
    """410: IMDS is being updated. It returns within 70 seconds."""


class ThrottledError(ImdsStatusError):
    """429: too many requests from this machine.

    Attributes:
        retry_after: the seconds that IMDS asked to wait, or None.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None, **facts: Unpack[StatusFacts]) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after


class ServerError(ImdsStatusError):
    """5xx: IMDS, or a gateway in front of it, failed."""


class ImdsResponseError(ImdsError):
    """A successful status with an unreadable body: not JSON, too large, or without a required member.

    It contains no part of the body, which may be a token.

    Attributes:
        status_code: the HTTP status.
    """

    def __init__(self, message: str = "", *, status_code: int = 0, **facts: Unpack[CallFacts]) -> None:
        super().__init__(message, **facts)
        self.status_code = status_code


class ArcChallengeError(ImdsError):
    """The challenge of the Azure Arc agent could not be answered safely. The message names the check that failed."""


#: Why verification failed, for programs. docs/attestation.md explains each value and what to do.
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
    """An attested document that failed verification. It contains no part of the document except certificate names.

    Attributes:
        reason: the check that failed, one of `Reason`.
    """

    def __init__(self, message: str = "", *, reason: Reason = "not_a_document", **facts: Unpack[CallFacts]) -> None:
        super().__init__(message, **facts)
        self.reason: Reason = reason
