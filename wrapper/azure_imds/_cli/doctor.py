"""`azure-imds doctor`: why managed identity does not work here, as a list of findings.

Each question is one request through an ImdsClient; a hook looks at the heads of the answers. Scheduled events are left
alone unless asked for, because the first request switches them on for the machine.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib import import_module
from inspect import signature
from typing import Any, TypeVar
from urllib.parse import urlsplit

import attrs
import httpx
from attrs import define, field, frozen

from azure_imds_api.api import Operation, Operations

from .._client.arc import token_folder
from .._client.client import ImdsClient
from .._client.host import Host, find_host
from .._clock import SYSTEM, Clock
from ..errors import ArcChallengeError, ImdsError, ImdsValidationError
from .claims import claims_of
from .diagnosis import STRANGERS, Cause, Status, Symptom, diagnose
from .surroundings import Surroundings, address_towards, may_read

T = TypeVar("T")

#: Seconds for all checks together; looking up the name of a host that is none of Azure's may add to them.
SECONDS = 20.0
#: Seconds for a connection, and for one answer.
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0
#: Seconds between two requests: IMDS answers five a second, and the machine's other programs need theirs.
PACE = 0.25
#: Seconds from which on an answer is slow. A healthy one takes milliseconds, a new token about a second.
SLOW = 2.0
#: Seconds between the clocks that are worth a word, and that make fresh tokens look not yet valid, or expired.
SKEW_WARNS, SKEW_FAILS = 30.0, 300.0

_AZURE_HOST = "169.254.169.254"


@frozen
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at.
        status: `pass`; `warn`, which may be the trouble or become it; `fail`; `skip`, where it could not be looked at.
        code: a word for what was found, for programs.
        text: the same for people, in a line.
        advice: what to do; "" where there is nothing to do.
        seconds: how long the answer took; None where nothing was sent.
    """

    check: str
    status: Status
    code: str
    text: str
    advice: str = ""
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return attrs.asdict(self)


def examine(
    endpoint: str | None = None,
    *,
    resource: str,
    selector: Mapping[str, str | None] | None = None,
    events: bool = False,
    seconds: float = SECONDS,
    surroundings: Surroundings | None = None,
    clock: Clock = SYSTEM,
) -> list[Finding]:
    """Looks at all that managed identity needs on this machine.

    Args:
        endpoint: scheme and host of IMDS; None to look for it as every client does.
        resource: what the token is for that is tried.
        selector: which identity, as arguments of the token's operation; None for the default one.
        events: whether to ask for scheduled events, which switches them on for this machine.
        seconds: for everything.
        surroundings: the environment and the files to look at, for tests.
        clock: the time to go by, for tests.

    Returns:
        The findings in the order of the checks. None of them holds a token.

    Raises:
        ImdsValidationError: the endpoint is no scheme and host, or the seconds are no positive number.
    """
    if not 0 < seconds <= 3600:
        raise ImdsValidationError("deadline must be a number of seconds above 0", parameter="deadline")
    place = surroundings or Surroundings()
    patient = _Examination(place, clock, clock.monotonic() + seconds)
    host = patient.environment(endpoint)
    if host is not None:
        patient.proxy(host)
        patient.arc(host)
        if patient.way(host):
            given = {name: value for name, value in (selector or {}).items() if value is not None}
            with ImdsClient(endpoint, retry=None, clock=clock) as imds:
                _Questions(patient, imds, host).ask(resource, given, events)
    return patient.findings


@define
class _Examination:
    """The findings so far, and what needs no answer from IMDS."""

    surroundings: Surroundings
    clock: Clock
    until: float
    findings: list[Finding] = field(factory=list[Finding])

    def found(self, *facts: Any, **more: Any) -> None:
        self.findings.append(Finding(*facts, **more))

    @property
    def left(self) -> float:
        return max(0.0, self.until - self.clock.monotonic())

    def environment(self, endpoint: str | None) -> Host | None:
        """Where IMDS is; None where nothing is to be asked."""
        variables = self.surroundings.environment
        if variables.get("AZURE_IMDS_DISABLED", "").strip().lower() not in ("", "0", "false", "no"):
            self.found(
                "environment",
                "fail",
                "disabled",
                "AZURE_IMDS_DISABLED is set: no client here asks IMDS.",
                "Unset it to use IMDS.",
            )
            return None
        try:
            host = find_host(endpoint, variables)
        except ImdsValidationError as error:
            if endpoint is not None:
                raise
            self.found("environment", "fail", "bad-variable", f"{error}.", f"Correct or unset {error.parameter}.")
            return None
        if host.foreign:
            self.found(
                "environment",
                "fail",
                "other-host",
                host.foreign,
                "Use azure-identity's ManagedIdentityCredential here.",
            )
            return None
        self.found(
            "environment", "pass", "endpoint", f"IMDS is looked for at {host.endpoint}{self._why(endpoint, host)}."
        )
        for code, text in self.surroundings.places():
            self.found("place", "warn", code, text)
        if host.endpoint.endswith(_AZURE_HOST) and self.surroundings.is_azure() is False:
            self.found(
                "place",
                "warn",
                "not-azure",
                "The firmware does not say that this is a machine in Azure.",
                "On a machine elsewhere, Azure Arc gives an identity.",
            )
        return host

    def _why(self, endpoint: str | None, host: Host) -> str:
        if endpoint is not None:
            return ", as was asked for"
        if self.surroundings.environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST"):
            return ", as AZURE_POD_IDENTITY_AUTHORITY_HOST says"
        return ", Azure Arc's agent" if host.api_version else ""

    def proxy(self, host: Host) -> None:
        name = urlsplit(host.endpoint).hostname or ""
        variable = self.surroundings.proxy_for(name)
        if variable is None:
            self.found("proxy", "pass", "no-proxy", "No proxy variable is in the way.")
        else:
            self.found(
                "proxy",
                "warn",
                "proxy-variable",
                f"{variable} is set, and NO_PROXY does not except {name}.",
                f"This package ignores proxies; other programs may not. Add {name} to NO_PROXY.",
            )

    def arc(self, host: Host) -> None:
        """Whether the key files of Azure Arc can be read."""
        if host.api_version is None:
            return
        try:
            folder = token_folder()
        except ArcChallengeError as error:
            self.found("arc", "fail", "no-arc-here", f"{error}.")
            return
        allowed, who = may_read(folder)
        if allowed:
            self.found("arc", "pass", "arc-folder", f"The agent's key files can be opened: {who}.")
        else:
            self.found(
                "arc",
                "fail",
                "arc-folder",
                f"The agent's key files cannot be opened: {who}.",
                "On Linux, add the user to the group himds, on Windows to "
                "'Hybrid Agent Extension Applications', and start the program anew.",
            )

    def way(self, host: Host) -> bool:
        """Whether a connection can be made."""
        parts = urlsplit(host.endpoint)
        name, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            own = address_towards(name, port)
        except OSError as error:
            self.found(
                "route",
                "fail",
                "no-route",
                f"There is no way to {name}: {_reason(error)}.",
                f"The machine needs its primary network interface up, with DHCP, and a route to {_AZURE_HOST}.",
            )
            return False
        if own.startswith("169.254.") and own != name:
            self.found(
                "route",
                "warn",
                "link-local",
                f"Requests leave from {own}, a link-local address.",
                f"Add a route for {_AZURE_HOST}/32 by the primary interface; IMDS answers to no other.",
            )
        else:
            self.found("route", "pass", "route", f"Requests leave from {own}.")
        try:
            socket.create_connection((name, port), timeout=max(0.001, min(CONNECT_SECONDS, self.left))).close()
        except TimeoutError:
            self.found(
                "connection",
                "fail",
                "no-answer",
                f"Nothing at {name} port {port} answers at all.",
                "This is no Azure machine, or the route leaves by another interface than the primary one, or a "
                "firewall or cluster (AKS can do that) keeps this program from IMDS.",
            )
            return False
        except OSError as error:
            self.found(
                "connection",
                "fail",
                "refused",
                f"No connection to {name} port {port}: {_reason(error)}.",
                "The agent does not run. Start it: systemctl start himdsd."
                if host.api_version
                else "Nothing listens there. Is this an Azure machine, and is the endpoint right?",
            )
            return False
        self.found("connection", "pass", "connected", f"Something listens at {name} port {port}.")
        return True


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


class _Questions:
    """What is asked of IMDS, and what its answers tell beside."""

    def __init__(self, patient: _Examination, imds: ImdsClient, host: Host) -> None:
        self._patient = patient
        self._imds = imds
        self._is_arc = host.api_version is not None
        self._head: httpx.Response | None = None
        self._answers: Counter[int] = Counter()
        self._took: dict[str, float] = {}
        self._skew: float | None = None
        self._cause: Cause | None = None
        imds.http.event_hooks = {"response": [self._saw]}

    def _saw(self, head: httpx.Response) -> None:
        self._head = head
        self._answers[head.status_code] += 1
        try:
            then = parsedate_to_datetime(head.headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        self._skew = then - self._patient.clock.time()

    def ask(self, resource: str, selector: Mapping[str, Any], events: bool) -> None:
        """Asks everything, unless the first question shows that it is in vain."""
        found = self._patient.found
        if not self._speaks():
            found("identity", "skip", "not-asked", "Nothing more was asked, since what answers is not IMDS.")
            return
        if not self._is_arc:  # whose agent has no more than the document and tokens
            self._versions()
            self._ask(
                "identity",
                lambda imds: imds.identity.get_info(),
                lambda info: f"The system-assigned identity is of tenant {info.tenant_id}.",
            )
        self._token(resource, selector)
        if not self._is_arc:
            self._ask("attested", lambda imds: imds.attested.get_document(), lambda _: "Attested documents are given.")
            self._ask(
                "loadbalancer",
                lambda imds: imds.load_balancer.get_metadata(),
                lambda _: "The load balancer is described.",
            )
            if events:
                self._ask(
                    "events",
                    lambda imds: imds.scheduled_events.get_events(),
                    lambda document: f"Events that are scheduled: {len(document.events)}.",
                )
            else:
                found("events", "skip", "not-asked", "Not asked for, which would switch them on: --events does.")
        self._clocks()
        self._limits()
        self._latency()

    def _ask(
        self, check: str, call: Callable[[ImdsClient], T], said: Callable[[T], str], *, seconds: float = ANSWER_SECONDS
    ) -> T | None:
        """One request and its finding."""
        patient = self._patient
        self._head = None
        if self._took:
            patient.clock.sleep(min(PACE, patient.left))
        if not patient.left:
            patient.found(check, "skip", "no-time", "The time for all checks is over.")
            return None
        began = patient.clock.monotonic()
        try:
            answer = call(self._imds.with_options(deadline=min(seconds, patient.left)))
        except ImdsValidationError as error:
            patient.found(check, "fail", "bad-argument", f"{error}.")
            return None
        except ImdsError as error:
            self._took[check] = took = patient.clock.monotonic() - began
            self._failed(check, error, took)
            return None
        self._took[check] = took = patient.clock.monotonic() - began
        patient.found(check, "pass", "answered", said(answer), seconds=took)
        return answer

    def _failed(self, check: str, error: ImdsError, took: float) -> None:
        self._cause = cause = diagnose(Symptom(error, self._head))
        status: Status = cause.status
        if check == "loadbalancer" and cause.code == "not-found":
            status = "skip"  # as on most machines
        elif check == "identity" and cause.code == "no-identity":
            status = "warn"  # a user-assigned one may do
        elif check == "token":
            status = "fail"
        advice = cause.advice or error.hint
        text = str(error)
        if error.hint:
            text = text.replace(f". {error.hint}", "").replace(error.hint, "")
        self._patient.found(check, status, cause.code, text, advice, took)

    def _speaks(self) -> bool:
        """Whether IMDS is what answers, or stands behind it."""
        found = self._patient.found
        self._ask(
            "instance",
            lambda imds: imds.instances.get_metadata(),
            lambda instance: (
                f"This is {instance.compute.name} in {instance.compute.location}."
                if instance.compute
                else "The machine is described, though without its name."
            ),
        )
        head, cause = self._head, self._cause
        if cause is not None and cause.code in STRANGERS:
            return False
        server = head.headers.get("server", "") if head is not None else ""
        if server.startswith("IMDS") or self._is_arc:
            found("server", "pass", "imds", f"The answer is signed {server or 'by nobody'}.")
        elif head is not None:
            found(
                "server",
                "warn",
                "other-server",
                f"The answer is signed {server or 'by nobody'}, and not by IMDS.",
                "If this is neither a test nor an agent of yours, something stands in for IMDS.",
            )
        return True

    def _versions(self) -> None:
        answer = self._ask(
            "versions",
            lambda imds: imds.versions.get_versions(),
            lambda versions: f"The newest version is {max(versions.api_versions, default='none')}.",
        )
        if answer is None:
            return
        missing = [f"{path} {version}" for path, version in _defaults() if version not in answer.api_versions]
        if missing:
            self._patient.found(
                "versions",
                "warn",
                "old-host",
                f"This host lacks versions that are asked for by default: {', '.join(missing)}.",
                "Clients of this package ask for an older one by themselves, others may have to be told: api_version.",
            )

    def _token(self, resource: str, selector: Mapping[str, Any]) -> None:
        found = self._patient.found
        answer = self._ask(
            "token",
            lambda imds: imds.identity.get_token(resource=resource, **selector),
            lambda token: f"A token for {token.resource or resource} was given.",
            seconds=SECONDS,
        )
        if answer is None:
            return
        claims = claims_of(answer.access_token)
        if not claims:
            found("claims", "warn", "opaque", "The token is no JWT, so it cannot be said whose it is.")
            return
        now, told = self._patient.clock.time(), _whose(claims)
        expires = claims.get("exp")
        if isinstance(expires, (int, float)) and expires <= now:
            found(
                "claims",
                "fail",
                "expired",
                f"The token is {told}, and has expired by this machine's clock.",
                "Correct the clock; if it is right, ask again.",
            )
        elif str(claims.get("aud", resource)).rstrip("/") != resource.rstrip("/"):
            found(
                "claims",
                "warn",
                "audience",
                f"The token is {told}, and its audience is {claims['aud']}.",
                f"Services that expect {resource} may refuse it; compare letter by letter.",
            )
        else:
            found("claims", "pass", "claims", f"The token is {told}.")

    def _clocks(self) -> None:
        found, skew = self._patient.found, self._skew
        if skew is None:
            found("clock", "skip", "no-date", "No answer told its time.")
        elif abs(skew) < SKEW_WARNS:
            found("clock", "pass", "clock", "This machine's clock agrees with the host's.")
        else:
            status: Status = "warn" if abs(skew) < SKEW_FAILS else "fail"
            found(
                "clock",
                status,
                "clock-skew",
                f"This machine's clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the host's.",
                "Tokens may look not yet valid, or expired: set the clock, and keep it set.",
            )

    def _limits(self) -> None:
        asked, refused = self._answers.total(), self._answers[429]
        if refused:
            self._patient.found(
                "limits",
                "warn",
                "throttled",
                f"{refused} of {asked} answers were 429.",
                "Find the program on this machine that asks so often; one credential is enough.",
            )
        else:
            self._patient.found(
                "limits",
                "pass",
                "not-throttled",
                f"None of {asked} answers was 429. How much is left, IMDS does not say.",
            )

    def _latency(self) -> None:
        text = ", ".join(f"{check} {seconds * 1000:.0f} ms" for check, seconds in self._took.items())
        if any(seconds >= SLOW for seconds in self._took.values()):
            self._patient.found(
                "latency",
                "warn",
                "slow",
                f"{text}.",
                "A healthy IMDS answers within milliseconds, and gets a new token in about a second.",
            )
        else:
            self._patient.found("latency", "pass", "latency", f"{text}.")


def _defaults() -> Iterator[tuple[str, str]]:
    """Paths of operations that share the host's list of versions, each with the version that is asked for there."""
    for tag, member in vars(Operations).items():
        if not isinstance(member, cached_property):
            continue
        for operation in vars(import_module(f"{Operations.__module__}.{tag}")).values():
            if isinstance(operation, Operation) and operation.version_fallback:
                yield operation.path, signature(operation.build).parameters["api_version"].default


def _whose(claims: Mapping[str, Any]) -> str:
    """Whose a token is. A user-assigned identity's resource id says so; else the id is the machine's own."""
    identity = str(claims.get("xms_mirid", ""))
    kind = "a user-assigned" if "/userassignedidentities/" in identity.lower() else "the system-assigned"
    name = f" {identity.rpartition('/')[2]}" if identity else ""
    facts = [f"{label} {claims[claim]}" for label, claim in _IDS.items() if claim in claims]
    return f"of {kind} identity{name} ({', '.join(facts)})"


_IDS = {"client id": "appid", "object id": "oid", "tenant": "tid"}
