"""What a failed request tells about its cause: a code for programs and tests, how bad it is, and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

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

Status = Literal["pass", "warn", "fail", "skip"]


@frozen
class Symptom:
    """A request's error, and the head of the answer, if one came."""

    error: ImdsError
    head: httpx.Response | None

    def is_a(self, *kinds: type[ImdsError]) -> bool:
        return isinstance(self.error, kinds)

    def status(self, *codes: int) -> bool:
        return self.head is not None and self.head.status_code in codes

    @property
    def server(self) -> str:
        return self.head.headers.get("server", "") if self.head is not None else ""

    @property
    def from_imds(self) -> bool:
        return self.server.startswith("IMDS")

    def says(self, pattern: str) -> bool:
        """Whether IMDS's own words match."""
        error = self.error
        words = f"{error.error} {error.error_description}" if isinstance(error, ImdsStatusError) else ""
        return re.search(pattern, words, re.IGNORECASE) is not None

    @property
    def empty(self) -> bool:
        error = self.error
        return isinstance(error, ImdsStatusError) and error.response is not None and not error.response.content

    @property
    def is_page(self) -> bool:
        by_type = self.head is not None and "html" in self.head.headers.get("content-type", "")
        # Only a success that turns out to be a page has a hint.
        return by_type or (self.is_a(ImdsResponseError) and bool(self.error.hint))


@frozen
class Cause:
    """A known cause.

    Attributes:
        code: a word for it.
        when: whether a symptom is this one's. Causes are tried in their order.
        advice: what to do; "" where the error's own hint says it best.
        status: `warn` where it passes by itself.
    """

    code: str
    when: Callable[[Symptom], bool]
    advice: str = ""
    status: Status = "fail"


_LATER = "It passes by itself, and clients of this package wait for it."
_RULES = "Ask whoever manages this machine's Metadata Security Protocol for a rule that lets this user and program in."

#: The field's known ways to fail. (Collected from Microsoft's documentation and from captures of live hosts.)
CAUSES: tuple[Cause, ...] = (
    Cause(
        "slow-body",
        lambda s: s.is_a(ImdsTimeoutError) and s.head is not None,
        "An answer began and did not end in time: look for a proxy or an overloaded agent in between.",
    ),
    Cause("silent", lambda s: s.is_a(ImdsTimeoutError)),
    Cause("docker-desktop", lambda s: s.is_a(ImdsUnavailableError) and s.status(403)),
    Cause(
        "redirect",
        lambda s: s.status(301, 302, 303, 307, 308),
        "IMDS never redirects: a captive portal, a gateway "
        "or another server has its address. Look at what leads there.",
    ),
    Cause("closed", lambda s: s.is_a(ImdsUnavailableError)),
    Cause("arc-key", lambda s: s.is_a(ArcChallengeError)),
    Cause(
        "web-page",
        lambda s: s.is_page,
        "A web page came: a captive portal, a proxy or another server has the "
        "address of IMDS. Look at what leads there.",
    ),
    Cause(
        "broken-off",
        lambda s: s.is_a(ImdsResponseError) and s.error.retryable,
        "The connection broke in the middle of an answer: look for a proxy or an agent in between.",
    ),
    Cause(
        "unreadable",
        lambda s: s.is_a(ImdsResponseError),
        "Something answers in the place of IMDS, or changes its answers on the way.",
    ),
    Cause("no-identity", lambda s: s.is_a(IdentityNotFoundError)),
    Cause(
        "several-identities",
        lambda s: s.is_a(MultipleIdentitiesError),
        "Name one: --client-id, --object-id or --resource-id here, the argument of the same name in your program.",
    ),
    Cause("unknown-resource", lambda s: s.is_a(InvalidResourceError)),
    Cause(
        "old-host",
        lambda s: s.is_a(UnsupportedApiVersionError),
        "This host, or what stands in for IMDS, is older "
        "than the version that was asked for: give your program's client an older api_version.",
    ),
    Cause(
        "retired-extension",
        lambda s: s.says("bad_request_102"),
        "This is how the retired managed identity extension "
        "of virtual machines answers, on port 50342: remove it, and use IMDS.",
    ),
    Cause(
        "header-removed",
        lambda s: s.says("metadata header"),
        "The header Metadata: true was sent and did not arrive: a proxy or a filter on the way removes it.",
    ),
    Cause("guest-proxy-agent", lambda s: s.is_a(ForbiddenError) and s.empty, _RULES),
    Cause(
        "guest-proxy-agent-method",
        lambda s: s.status(405) and not s.from_imds,
        f"Azure's Guest Proxy Agent does not let this method through. {_RULES}",
    ),
    Cause("forbidden", lambda s: s.is_a(ForbiddenError)),
    Cause(
        "updating",
        lambda s: s.is_a(GoneError),
        f"IMDS is being updated and returns within 70 seconds. {_LATER}",
        "warn",
    ),
    Cause(
        "throttled",
        lambda s: s.is_a(ThrottledError),
        "Something on this machine asks too often: 5 requests a "
        "second are allowed, for identity 20 and 5 at once. Share one credential, which keeps tokens.",
        "warn",
    ),
    Cause(
        "load-balancer-pending",
        lambda s: s.is_a(NotFoundError) and s.says("right now"),
        "The load balancer's metadata are still being made ready: ask again in some minutes.",
        "warn",
    ),
    Cause("not-found", lambda s: s.is_a(NotFoundError)),
    Cause(
        "token-failure",
        lambda s: s.is_a(ServerError) and s.says("active directory"),
        "IMDS is well and gets no token "
        "from Microsoft Entra: ask again; then look at Azure's service health, and at the identity's tenant.",
    ),
    Cause(
        "pod-identity",
        lambda s: s.is_a(ServerError) and not s.from_imds and s.says(r"\bpods?\b"),
        "AAD Pod "
        "Identity, which is retired, intercepts the requests of this pod: move to workload identity, or remove it.",
    ),
    Cause(
        "restarting",
        lambda s: s.is_a(ServerError) and s.server.startswith("Microsoft-IIS"),
        f"The host's front end answers while IMDS restarts behind it. {_LATER}",
        "warn",
    ),
    Cause("gateway", lambda s: s.status(407, 502, 504)),
    Cause("server-error", lambda s: s.is_a(ServerError), f"Ask again in a minute. {_LATER}", "warn"),
    Cause("bad-request", lambda s: s.is_a(BadRequestError)),
    Cause("refused-request", lambda s: True),
)


def diagnose(symptom: Symptom) -> Cause:
    """The first cause that fits."""
    return next(cause for cause in CAUSES if cause.when(symptom))


#: Causes after which no further question makes sense: what answers is not IMDS, or answers nobody.
STRANGERS = frozenset({"silent", "slow-body", "docker-desktop", "redirect", "closed", "web-page"})
