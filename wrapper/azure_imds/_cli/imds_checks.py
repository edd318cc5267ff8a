"""The checks of `azure-imds doctor` that send requests to IMDS.

Each request goes through an ImdsClient, and a hook of httpx sees the status and headers of each response. Scheduled
events are requested only on demand, because the first request turns them on for the machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib import import_module
from inspect import signature
from typing import Any, TypeVar, cast

import httpx
from attrs import evolve

from azure_imds_api.api import Operation, Operations

from .._client.client import ImdsClient
from .._client.host import Host
from ..errors import ImdsError, ImdsValidationError
from . import findings
from .claims import read_claims
from .diagnosis import Cause, FailedRequest, find_cause
from .findings import Finding, Report, Status
from .messages import describe_error, split_error
from .resources import resolve_resource

T = TypeVar("T")

#: Seconds for an answer, and for a token, which may take IMDS longer.
ANSWER_SECONDS, TOKEN_SECONDS = 5.0, 20.0
#: Seconds between two requests. IMDS answers five a second, and the machine's other programs need some of them.
PAUSE_SECONDS = 0.25
#: An answer that takes this many seconds is slow. A healthy IMDS takes milliseconds, or about a second for a new token.
SLOW_SECONDS = 2.0
#: Seconds between the clocks that are reported, and that make new tokens look expired or not yet valid.
SKEW_WARNS, SKEW_FAILS = 30.0, 300.0


class ImdsChecks:
    """Sends the requests and reports what the answers show."""

    def __init__(self, report: Report, imds: ImdsClient, host: Host, names: Mapping[str, str]) -> None:
        self._report = report
        self._imds = imds
        self._host = host
        self._is_arc = host.name == "arc"
        self._names = names
        self._response: httpx.Response | None = None
        self._cause: Cause | None = None
        self._statuses: Counter[int] = Counter()
        self._seconds: dict[str, float] = {}
        self._skew: float | None = None
        imds.http.event_hooks = {"response": [self._on_response]}

    def _on_response(self, response: httpx.Response) -> None:
        self._response = response
        self._statuses[response.status_code] += 1
        try:
            host_time = parsedate_to_datetime(response.headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return
        self._skew = host_time - self._report.clock.time()

    def run(self, resource: str, cloud: str | None, selector: Mapping[str, Any], *, events: bool) -> None:
        """Runs all checks, or only the first if its answer is not from IMDS."""
        if not self._host.is_imds:
            self._check_token(resource, cloud, selector)
            self._check_clock()
            return
        if not self._check_instance():
            self._report.add(findings.NOT_IMDS)
            return
        if not self._is_arc:  # Azure Arc's agent has only the instance document and tokens
            self._check_versions()
            self._request(
                "identity",
                lambda imds: imds.identity.get_info(),
                lambda info: f"The managed identities of this machine belong to tenant {info.tenant_id}.",
            )
        self._check_token(resource, cloud, selector)
        if not self._is_arc:
            self._request(
                "attested", lambda imds: imds.attested.get_document(), lambda _: "IMDS returned an attested document."
            )
            self._request(
                "loadbalancer",
                lambda imds: imds.load_balancer.get_metadata(),
                lambda _: "IMDS returned the metadata of the load balancer.",
            )
            if events:
                self._request(
                    "events",
                    lambda imds: imds.scheduled_events.get_events(),
                    lambda document: f"Scheduled events: {len(document.events)}.",
                )
            else:
                self._report.add(findings.EVENTS_NOT_ASKED)
        self._check_clock()
        self._check_limits()
        self._check_latency()

    def _request(
        self,
        check: str,
        call: Callable[[ImdsClient], T],
        describe: Callable[[T], str],
        *,
        seconds: float = ANSWER_SECONDS,
    ) -> T | None:
        """Sends one request and reports what came of it; returns the answer, or None if the request failed."""
        report = self._report
        self._response = None
        if self._seconds:
            report.clock.sleep(min(PAUSE_SECONDS, report.seconds_left))
        if not report.seconds_left:
            report.findings.append(evolve(findings.NO_TIME, check=check))
            return None
        start = report.clock.monotonic()
        try:
            answer = call(self._imds.with_options(deadline=min(seconds, report.seconds_left)))
        except ImdsValidationError as error:
            text = describe_error(error, self._names)
            report.findings.append(Finding(check, "fail", "bad-argument", f"{text}."))
            return None
        except ImdsError as error:
            self._seconds[check] = took = report.clock.monotonic() - start
            self._report_failure(check, error, took)
            return None
        self._seconds[check] = took = report.clock.monotonic() - start
        report.findings.append(Finding(check, "pass", "answered", describe(answer), seconds=took))
        return answer

    def _report_failure(self, check: str, error: ImdsError, seconds: float) -> None:
        self._cause = cause = find_cause(FailedRequest(error, self._response, self._host.is_imds))
        status: Status = cause.status
        if check == "loadbalancer" and cause.code == "not-found":
            status = "skip"  # most machines have no load balancer
        elif check == "identity" and cause.code == "no-identity":
            status = "warn"  # a user-assigned identity may be enough
        elif check == "token":
            status = "fail"
        text, hint = split_error(error, self._names)
        # The hints of other hosts are from the specification, and the advice is about IMDS.
        advice = cause.advice or hint if self._host.is_imds else hint or cause.advice
        self._report.findings.append(Finding(check, status, cause.code, text, advice, seconds))

    def _check_instance(self) -> bool:
        """Reads the instance document, and returns whether the answer can be from IMDS."""
        instance = self._request(
            "instance",
            lambda imds: imds.instances.get_metadata(),
            lambda instance: (
                f"This machine is {instance.compute.name} in {instance.compute.location}."
                if instance.compute
                else "IMDS describes this machine, but not its name and location."
            ),
        )
        if instance is not None:
            self._report.names |= _find_names(instance.to_dict())
        if self._cause is not None and self._cause.not_imds:
            return False
        if self._response is None:
            return True
        server = self._response.headers.get("server", "")
        if server.startswith("IMDS"):
            self._report.add(findings.IMDS, server=server)
        elif self._is_arc:
            self._report.add(findings.ARC_AGENT)
        else:
            self._report.add(findings.OTHER_SERVER, server=f" ({server})" if server else "")
        return True

    def _check_versions(self) -> None:
        answer = self._request(
            "versions",
            lambda imds: imds.versions.get_versions(),
            lambda versions: f"The newest API version of this host is {max(versions.api_versions, default='none')}.",
        )
        if answer is None:
            return
        missing = [
            f"{path} {version}" for path, version in _find_default_versions() if version not in answer.api_versions
        ]
        if missing:
            self._report.add(findings.OLD_HOST, missing=", ".join(missing))

    def _check_token(self, name: str, cloud: str | None, selector: Mapping[str, Any]) -> None:
        sender = "IMDS" if self._host.is_imds else "The endpoint"
        resource = name

        def get_token(imds: ImdsClient) -> Any:
            nonlocal resource
            resource = resolve_resource(name, cloud, imds)
            return imds.identity.get_token(resource=resource, **selector)

        answer = self._request(
            "token",
            get_token,
            lambda token: f"{sender} returned a token for {token.resource or resource}.",
            seconds=TOKEN_SECONDS,
        )
        if answer is None:
            return
        claims = read_claims(answer.access_token)
        if not claims:
            self._report.add(findings.OPAQUE)
            return
        self._report.names.add(_name_of_owner(claims))
        owner, expires = _describe_owner(claims, self._host), claims.get("exp")
        audience = str(claims.get("aud", resource))
        if isinstance(expires, (int, float)) and expires <= self._report.clock.time():
            self._report.add(findings.EXPIRED, owner=owner)
        elif audience.rstrip("/") != resource.rstrip("/"):
            self._report.add(findings.AUDIENCE, owner=owner, audience=audience, resource=resource)
        else:
            self._report.add(findings.CLAIMS, owner=owner)

    def _check_clock(self) -> None:
        skew = self._skew
        if skew is None:
            self._report.add(findings.NO_DATE)
        elif abs(skew) < SKEW_WARNS:
            self._report.add(findings.CLOCK)
        else:
            finding = findings.SMALL_CLOCK_SKEW if abs(skew) < SKEW_FAILS else findings.CLOCK_SKEW
            self._report.add(finding, seconds=abs(skew), direction="behind" if skew > 0 else "ahead of")

    def _check_limits(self) -> None:
        total, refused = self._statuses.total(), self._statuses[429]
        self._report.add(findings.THROTTLED if refused else findings.NOT_THROTTLED, refused=refused, total=total)

    def _check_latency(self) -> None:
        times = ", ".join(f"{check} {seconds * 1000:.0f} ms" for check, seconds in self._seconds.items())
        slow = any(seconds >= SLOW_SECONDS for seconds in self._seconds.values())
        self._report.add(findings.SLOW if slow else findings.LATENCY, times=times)


def _find_default_versions() -> Iterator[tuple[str, str]]:
    """Yields (path, default version) of the operations that share the host's list of versions."""
    for tag, member in vars(Operations).items():
        if not isinstance(member, cached_property):
            continue
        for operation in vars(import_module(f"{Operations.__module__}.{tag}")).values():
            if isinstance(operation, Operation) and operation.version_fallback:
                yield operation.path, signature(operation.build).parameters["api_version"].default


_IDS = {"client id": "appid", "object id": "oid", "tenant": "tid"}


def _describe_owner(claims: Mapping[str, Any], host: Host) -> str:
    """The identity that a token belongs to. Only the resource id of a user-assigned identity names its kind."""
    resource_id, name = str(claims.get("xms_mirid", "")), _name_of_owner(claims)
    if claims.get("idtyp") == "user" or "scp" in claims:  # Cloud Shell, and Azure Machine Learning with single sign-on
        owner = "a user"
    elif "/userassignedidentities/" in resource_id.lower():
        owner = "the user-assigned identity"
    else:
        owner = "the system-assigned identity" if resource_id or host.is_imds else "an identity"
    facts = [f"{label} {claims[claim]}" for label, claim in _IDS.items() if claim in claims]
    return f"{owner}{name and ' '}{name} ({', '.join(facts)})"


def _name_of_owner(claims: Mapping[str, Any]) -> str:
    return str(claims.get("xms_mirid", "")).rpartition("/")[2]


#: Members of the instance document with names that people have chosen.
_NAMES = ("name", "computerName", "resourceGroupName", "vmScaleSetName", "adminUsername")


def _find_names(document: Mapping[str, Any]) -> set[str]:
    """The names in an instance document, whose members can have any shape."""
    compute = _as_object(document.get("compute"))
    parts = compute, _as_object(compute.get("osProfile"))
    return {str(part[name]) for part in parts for name in _NAMES if part.get(name)}


def _as_object(value: Any) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, dict) else {}
