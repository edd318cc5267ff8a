"""The known causes of a failed request, as data: a code for programs, how bad it is, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
from attrs import frozen

from ..errors import (
    ArcChallengeError,
    BadRequestError,
    ForbiddenError,
    GoneError,
    IdentityNotFoundError,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    InvalidResourceError,
    MultipleIdentitiesError,
    NotFoundError,
    ServerError,
    ThrottledError,
    UnsupportedApiVersionError,
)
from .findings import Status


@frozen
class FailedRequest:
    """The error of a request, the status and headers of the response if there was one, and whether it was to IMDS."""

    error: ImdsError
    response: httpx.Response | None
    to_imds: bool = True

    def is_a(self, *kinds: type[ImdsError]) -> bool:
        return isinstance(self.error, kinds)

    def has_status(self, *codes: int) -> bool:
        return self.response is not None and self.response.status_code in codes

    @property
    def server(self) -> str:
        return self.response.headers.get("server", "") if self.response is not None else ""

    @property
    def is_from_imds(self) -> bool:
        return self.server.startswith("IMDS")

    def mentions(self, pattern: str) -> bool:
        """Whether the error text in the response matches a regular expression."""
        error = self.error
        text = f"{error.error} {error.error_description}" if isinstance(error, ImdsStatusError) else ""
        return re.search(pattern, text, re.IGNORECASE) is not None

    @property
    def has_empty_body(self) -> bool:
        error = self.error
        return isinstance(error, ImdsStatusError) and error.response is not None and not error.response.content

    @property
    def is_other(self) -> bool:
        """Whether something other than IMDS answered."""
        return isinstance(self.error, ImdsUnavailableError) and self.error.status_code != 0

    @property
    def is_web_page(self) -> bool:
        return self.is_other and "web page" in self.error.hint


@frozen
class Cause:
    """A known cause of a failed request.

    Attributes:
        code: identifies the cause, for programs.
        applies: whether this is the cause of a failed request. The causes are tried in order.
        advice: what to do; "" if the hint of the error is the best advice.
        status: `warn` if the failure passes by itself.
        not_imds: whether something other than IMDS answered, or nothing did, so that more requests make no sense.
        imds_only: whether only IMDS, or what stands in front of it, answers like this.
    """

    code: str
    applies: Callable[[FailedRequest], bool]
    advice: str = ""
    status: Status = "fail"
    not_imds: bool = False
    imds_only: bool = False


_WAIT = "It passes by itself. Clients of this package wait and retry."
_ADD_RULE = (
    "Ask the administrator of the machine's Metadata Security Protocol for a rule that allows this user and program."
)

#: Collected from Microsoft's documentation and from recorded responses of real hosts.
CAUSES: tuple[Cause, ...] = (
    Cause(
        "slow-body",
        lambda f: f.is_a(ImdsTimeoutError) and f.response is not None,
        "The response started but did not end in time. Look for a proxy or an overloaded agent in between.",
        not_imds=True,
    ),
    Cause("silent", lambda f: f.is_a(ImdsTimeoutError), not_imds=True),
    Cause("docker-desktop", lambda f: f.is_other and "container engine" in f.error.hint, not_imds=True),
    Cause(
        "redirect",
        lambda f: f.has_status(301, 302, 303, 307, 308),
        "IMDS never redirects. A captive portal, a gateway or another server has its address: check the route to it.",
        not_imds=True,
    ),
    Cause(
        "web-page",
        lambda f: f.is_web_page,
        "The response is a web page. A captive portal, a proxy or another server has the address of IMDS: check the "
        "route to it.",
        not_imds=True,
    ),
    Cause("gateway", lambda f: f.is_other and f.has_status(407, 502, 504), not_imds=True),
    Cause("another-service", lambda f: f.is_other, not_imds=True),
    Cause(
        "certificate",
        lambda f: f.is_a(ImdsUnavailableError) and "certificate" in str(f.error),
        "Another server answers there, or a proxy that inspects TLS, or the variables are those of another process.",
        not_imds=True,
    ),
    Cause("closed", lambda f: f.is_a(ImdsUnavailableError), not_imds=True),
    Cause("arc-key", lambda f: f.is_a(ArcChallengeError)),
    Cause(
        "broken-off",
        lambda f: f.is_a(ImdsResponseError) and f.error.retryable,
        "The connection was lost in the middle of a response. Look for a proxy or an agent in between.",
    ),
    Cause(
        "unreadable",
        lambda f: f.is_a(ImdsResponseError),
        "Another program answers at this endpoint, or changes its responses. Find out which one.",
    ),
    Cause("no-identity", lambda f: f.is_a(IdentityNotFoundError)),
    Cause(
        "several-identities",
        lambda f: f.is_a(MultipleIdentitiesError),
        "Choose one identity: here with --client-id, --object-id or --resource-id, in your program with the argument "
        "of the same name. The Azure portal lists them, on the Identity page of the machine.",
    ),
    Cause("unknown-resource", lambda f: f.is_a(InvalidResourceError)),
    Cause(
        "old-host",
        lambda f: f.is_a(UnsupportedApiVersionError),
        "This host, or the program that answers in place of IMDS, does not support the requested version. Set an older "
        "api_version in your program.",
    ),
    Cause(
        "retired-extension",
        lambda f: f.mentions("bad_request_102"),
        "The retired managed identity extension for virtual machines answers like this, on port 50342. Remove it, and "
        "use IMDS.",
        imds_only=True,
    ),
    Cause(
        "header-removed",
        lambda f: f.mentions("metadata header"),
        "The header Metadata: true was sent but did not arrive. Find the proxy or filter that removes it.",
        imds_only=True,
    ),
    Cause("guest-proxy-agent", lambda f: f.is_a(ForbiddenError) and f.has_empty_body, _ADD_RULE, imds_only=True),
    Cause(
        "guest-proxy-agent-method",
        lambda f: f.has_status(405) and not f.is_from_imds,
        f"Azure's Guest Proxy Agent does not allow this HTTP method. {_ADD_RULE}",
        imds_only=True,
    ),
    Cause("forbidden", lambda f: f.is_a(ForbiddenError)),
    Cause(
        "updating",
        lambda f: f.is_a(GoneError),
        f"IMDS is being updated and returns within 70 seconds. {_WAIT}",
        "warn",
        imds_only=True,
    ),
    Cause(
        "throttled",
        lambda f: f.is_a(ThrottledError),
        "A program on this machine sends too many requests. The limit is 5 a second, and for identity 20 a second and "
        "5 at once. Share one credential: it caches tokens.",
        "warn",
    ),
    Cause(
        "load-balancer-pending",
        lambda f: f.is_a(NotFoundError) and f.mentions("right now"),
        "The metadata of the load balancer is not ready yet. Try again in some minutes.",
        "warn",
    ),
    Cause("not-found", lambda f: f.is_a(NotFoundError)),
    Cause(
        "token-failure",
        lambda f: f.is_a(ServerError) and f.mentions("active directory"),
        "The endpoint works, but gets no token from Microsoft Entra. Try again. If that fails, check Azure's service "
        "health and the tenant of the identity.",
    ),
    Cause(
        "pod-identity",
        lambda f: f.is_a(ServerError) and not f.is_from_imds and f.mentions(r"\bpods?\b"),
        "AAD Pod Identity, which is retired, intercepts the requests of this pod. Migrate to workload identity, or "
        "remove AAD Pod Identity.",
        imds_only=True,
    ),
    Cause(
        "restarting",
        lambda f: f.is_a(ServerError) and f.server.startswith("Microsoft-IIS"),
        f"The host's front end answers while IMDS restarts. {_WAIT}",
        "warn",
        imds_only=True,
    ),
    Cause("server-error", lambda f: f.is_a(ServerError), f"Try again in a minute. {_WAIT}", "warn"),
    Cause("bad-request", lambda f: f.is_a(BadRequestError)),
    Cause("refused-request", lambda f: True),
)


def find_cause(request: FailedRequest) -> Cause:
    """The first cause that applies."""
    return next(cause for cause in CAUSES if (request.to_imds or not cause.imds_only) and cause.applies(request))
