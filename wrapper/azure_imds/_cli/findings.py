"""What `azure-imds doctor` can find, as data: each finding with its text, its advice and its status."""

from __future__ import annotations

from typing import Any, Literal

import attrs
from attrs import define, evolve, field, frozen

from .._clock import Clock

Status = Literal["pass", "warn", "fail", "skip"]


@frozen
class Finding:
    """What one check found.

    Attributes:
        check: name of the check.
        status: `pass`; `warn` for something that may cause the failure, or cause one later; `fail`; `skip` if the check
            could not run.
        code: identifies the finding, for programs.
        text: what was found and what it means, for people.
        advice: what to do; "" if there is nothing to do.
        seconds: how long IMDS took to answer; None if no request was sent.
    """

    check: str
    status: Status
    code: str
    text: str
    advice: str = ""
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return attrs.asdict(self)


@define
class Report:
    """The findings so far, and the time limit for all checks together.

    Attributes:
        clock: measures the time.
        deadline: when to stop, on the monotonic clock.
        findings: in the order of the checks.
        names: private values in the findings that have no form of their own, such as the name of the machine.
    """

    clock: Clock
    deadline: float
    findings: list[Finding] = field(factory=list[Finding])
    names: set[str] = field(factory=set[str])

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline; 0 if it has passed."""
        return max(0.0, self.deadline - self.clock.monotonic())

    def add(self, finding: Finding, **values: object) -> None:
        """Adds one of the findings below, whose text and advice may have placeholders for `values`."""
        text, advice = finding.text.format_map(values), finding.advice.format_map(values)
        self.findings.append(evolve(finding, text=text, advice=advice))


DISABLED = Finding(
    "environment",
    "fail",
    "disabled",
    "AZURE_IMDS_DISABLED is set, so this package sends no requests to IMDS.",
    "Unset it to use IMDS.",
)
BAD_VARIABLE = Finding("environment", "fail", "bad-variable", "{problem}.", "Correct {variable} or unset it.")
OTHER_HOST = Finding("environment", "fail", "other-host", "This is {title}, host {name} ({reason}).", "{advice}")
HOST = Finding("environment", "pass", "host", "This is {title}, host {name} ({reason}).")
VARIABLE = Finding("environment", "pass", "variable", "{variable} {state}. Its meaning: {meaning}.")
NOTEBOOK = Finding(
    "environment",
    "fail",
    "notebook",
    "This is a notebook of Synapse or Fabric ({variable} is set). Such a notebook has no endpoint for tokens.",
    "Use the notebook's own utilities: notebookutils.credentials.getToken, in older runtimes "
    "mssparkutils.credentials.getToken.",
)
PARTLY_SET = Finding(
    "environment",
    "warn",
    "partly-set",
    "This is not recognized as {title}, because {missing} not set. Set: {present}.",
    "If this is {title}, find out why the platform did not set all variables, for example because the program was "
    "started before the identity was assigned.",
)
ENDPOINT = Finding("environment", "pass", "endpoint", "The IMDS endpoint is {endpoint} ({source}).")
TOKEN_ENDPOINT = evolve(ENDPOINT, text="The token endpoint is {endpoint} ({source}).")

CLIENT_ID_UNUSED = Finding(
    "environment",
    "warn",
    "client-id-unused",
    "AZURE_CLIENT_ID is set, but this package does not read it. DefaultAzureCredential of azure-identity does.",
    'To use that identity, pass client_id=os.environ["AZURE_CLIENT_ID"] in your program, and here --client-id '
    '"$AZURE_CLIENT_ID".',
)

KUBERNETES = Finding(
    "place",
    "warn",
    "kubernetes",
    "This process runs in a Kubernetes pod. An AKS cluster may block IMDS for its pods.",
    "If IMDS is blocked, use workload identity, which does not need IMDS.",
)
CONTAINER = Finding(
    "place",
    "warn",
    "container",
    "This process runs in a container. The container engine must allow access to IMDS; Docker Desktop does not.",
    "If requests fail, run the container on an Azure machine, in a network that can reach 169.254.169.254.",
)
WSL = Finding(
    "place",
    "warn",
    "wsl",
    "This process runs in WSL, which is a virtual machine of its own. IMDS is not known to answer there.",
    "If requests fail, run the program outside WSL.",
)
NOT_AZURE = Finding(
    "place",
    "warn",
    "not-azure",
    "The firmware does not identify this machine as an Azure virtual machine.",
    "Outside Azure, install the agent of Azure Arc to get a managed identity.",
)

NO_PROXY = Finding("proxy", "pass", "no-proxy", "No proxy variable applies to {host}.")
PROXY_VARIABLE = Finding(
    "proxy",
    "warn",
    "proxy-variable",
    "{variable} is set, and NO_PROXY does not exclude {host}. This package ignores proxies, but other programs may "
    "send their IMDS requests to the proxy.",
    "Add {host} to NO_PROXY.",
)

PROXY_USED = Finding(
    "proxy",
    "pass",
    "proxy-used",
    "Requests to {host} go through the proxy of the environment at {proxy}, because {host} is on the internet.",
)

NO_ARC = Finding("arc", "fail", "no-arc-here", "{problem}.")
ARC_FOLDER_READABLE = Finding("arc", "pass", "arc-folder", "This process can read the agent's key files ({details}).")
ARC_FOLDER_UNREADABLE = Finding(
    "arc",
    "fail",
    "arc-folder",
    "This process cannot read the agent's key files ({details}), so it cannot get a token.",
    "On Linux, add the user to the group himds. On Windows, add it to the group 'Hybrid Agent Extension Applications'. "
    "Then restart the program.",
)

NO_ROUTE = Finding(
    "route",
    "fail",
    "no-route",
    "There is no route to {host}: {reason}.",
    "The machine needs its primary network interface up, with DHCP, and a route to 169.254.169.254.",
)
LINK_LOCAL = Finding(
    "route",
    "warn",
    "link-local",
    "Requests leave from the link-local address {address}. IMDS answers only the primary network interface.",
    "Add a route to 169.254.169.254/32 through the primary network interface.",
)
ROUTE = Finding("route", "pass", "route", "Requests leave from {address}.")

NO_ANSWER = Finding(
    "connection",
    "fail",
    "no-answer",
    "{host} port {port} does not answer connection requests.",
    "Check that this is an Azure machine, that the route uses the primary network interface, and that no firewall or "
    "cluster (AKS can do that) blocks IMDS for this program.",
)
REFUSED = Finding(
    "connection",
    "fail",
    "refused",
    "Cannot connect to {host} port {port}: {reason}.",
    "Check that this is an Azure machine and that the endpoint is right.",
)
REFUSED_BY_AGENT = Finding(
    "connection",
    "fail",
    "refused",
    "Cannot connect to {host} port {port}: {reason}. The agent of Azure Arc does not seem to run.",
    "Start the agent: systemctl start himdsd.",
)
CONNECTED = Finding("connection", "pass", "connected", "{host} port {port} accepts connections.")

IMDS = Finding("server", "pass", "imds", "The response has the Server header {server}.")
ARC_AGENT = Finding("server", "pass", "imds", "The response is from the agent of Azure Arc.")
OTHER_SERVER = Finding(
    "server",
    "warn",
    "other-server",
    "The response has no IMDS Server header{server}; something else may be answering.",
    "Find out which program answers there, unless it is a test server or an agent of your own.",
)
NOT_IMDS = Finding(
    "identity", "skip", "not-asked", "No more requests were sent, because the first answer is not from IMDS."
)

OLD_HOST = Finding(
    "versions",
    "warn",
    "old-host",
    "This host does not support versions that are requested by default: {missing}.",
    "This package falls back to an older version by itself. In other programs, set an older api-version.",
)
EVENTS_NOT_ASKED = Finding(
    "events",
    "skip",
    "not-asked",
    "Not requested: the first request turns scheduled events on for this machine.",
    "To request them, use --events.",
)

OPAQUE = Finding(
    "claims", "warn", "opaque", "The token is not a JWT, so the doctor cannot read which identity it belongs to."
)
EXPIRED = Finding(
    "claims",
    "fail",
    "expired",
    "The token belongs to {owner}. By this machine's clock it has expired.",
    "Correct the clock. If the clock is right, run the doctor again.",
)
AUDIENCE = Finding(
    "claims",
    "warn",
    "audience",
    "The token belongs to {owner}. Its audience is {audience}, not {resource}.",
    "Services that expect {resource} may refuse it. They compare letter by letter.",
)
CLAIMS = Finding("claims", "pass", "claims", "The token belongs to {owner}.")

NO_DATE = Finding("clock", "skip", "no-date", "No response had a valid Date header, so the clock was not checked.")
CLOCK = Finding("clock", "pass", "clock", "This machine's clock agrees with the host's.")
CLOCK_SKEW = Finding(
    "clock",
    "fail",
    "clock-skew",
    "This machine's clock is {seconds:.0f} s {direction} the host's. Tokens may look expired, or not yet valid.",
    "Set the clock, and turn on time synchronization.",
)
SMALL_CLOCK_SKEW = evolve(CLOCK_SKEW, status="warn")

THROTTLED = Finding(
    "limits",
    "warn",
    "throttled",
    "{refused} of {total} responses were 429 (too many requests).",
    "Find the program on this machine that sends so many requests. It should share one credential.",
)
NOT_THROTTLED = Finding(
    "limits",
    "pass",
    "not-throttled",
    "None of {total} responses was 429 (too many requests). IMDS does not report how much of the limit is left.",
)

SLOW = Finding(
    "latency",
    "warn",
    "slow",
    "{times}. A healthy IMDS answers within milliseconds, and returns a new token within about a second.",
    "Look for a proxy or an overloaded agent between this program and IMDS.",
)
LATENCY = Finding("latency", "pass", "latency", "{times}.")


NO_TIME = Finding(
    "",
    "skip",
    "no-time",
    "No request was sent, because the time limit for all checks was reached.",
    "To allow more time, use --deadline.",
)
