"""`azure-imds doctor`: finds out why managed identity does not work here."""

from __future__ import annotations

from collections.abc import Mapping

from .._client.client import ImdsClient
from .._clock import SYSTEM, Clock
from ..errors import ImdsValidationError
from .findings import Finding, Report
from .imds_checks import ImdsChecks
from .local_checks import (
    check_arc_folder,
    check_client_id,
    check_connection,
    check_environment,
    check_place,
    check_proxy,
)
from .redaction import redact_findings
from .surroundings import Surroundings

#: Seconds for all checks together. Looking up the name of a host outside Azure may take longer.
SECONDS = 20.0


def examine(
    endpoint: str | None = None,
    *,
    resource: str,
    cloud: str | None = None,
    selector: Mapping[str, str | None] | None = None,
    events: bool = False,
    seconds: float = SECONDS,
    redact: bool = False,
    names: Mapping[str, str] | None = None,
    surroundings: Surroundings | None = None,
    clock: Clock = SYSTEM,
) -> list[Finding]:
    """Checks everything that managed identity needs on this machine.

    Args:
        endpoint: scheme and host of IMDS; None to find it as every client does.
        resource: the resource of the token that is requested, or its name.
        cloud: the cloud in which the name is looked up. None: that of the machine.
        selector: the identity, as arguments of `identity.get_token`; None for the default identity.
        events: whether to request scheduled events. The first request turns them on for this machine.
        seconds: time limit for all checks together.
        redact: whether to leave out ids, names and addresses of this machine.
        names: the caller's own names of arguments, for messages about them.
        surroundings: the environment and the files to look at, for tests.
        clock: the clock to use, for tests.

    Returns:
        The findings in the order of the checks. None of them holds a token.

    Raises:
        ImdsValidationError: `endpoint` is not a scheme and a host, or `seconds` is out of range.
    """
    if not 0 < seconds <= 3600:
        problem = "must be a number of seconds, above 0 and at most 3600"
        raise ImdsValidationError(f"deadline {problem}", parameter="deadline", problem=problem)
    report = Report(clock, clock.monotonic() + seconds)
    surroundings = surroundings or Surroundings()
    given = {name: value for name, value in (selector or {}).items() if value is not None}
    host = check_environment(report, surroundings, endpoint)
    if host is not None:
        check_client_id(report, surroundings, host, given)
        check_place(report, surroundings, host)
        check_proxy(report, surroundings, host)
        check_arc_folder(report, host)
        if check_connection(report, host):
            with ImdsClient(endpoint, retry=None, clock=clock) as imds:
                ImdsChecks(report, imds, host, names or {}).run(resource, cloud, given, events=events)
    return redact_findings(report.findings, report.names) if redact else report.findings


def describe_content(redacted: bool) -> str:
    """Says whether the report may be shown to others. It stands at the top of the report."""
    if redacted:
        return "Ids, names and addresses are left out. Equal numbers mean equal values."
    return "Contains ids, names and addresses. Use --redact before you share this report."
