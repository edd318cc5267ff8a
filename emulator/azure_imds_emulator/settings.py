"""The settings of an emulator, with their defaults and limits."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from . import hosts
from .attested import DigestOid
from .header_text import is_header_value
from .json_text import check_text
from .machine import Json, Machine, is_array
from .openid import find_issuer_problem

MetadataHeader = Literal["exact", "any"]

DEFAULT_ADDRESS = "127.0.0.1"
#: The `Server` header of a metadata service.
DEFAULT_SERVER = "IMDS/150.870.65.1854"


@dataclass(slots=True)
class Settings:
    """All settings of an emulator.

    Attributes:
        host: the address to listen on. Everyone who can reach it can get tokens, which no Azure service accepts.
            Without `control_host`, they can use the control API too. The name of a host of managed identities, such as
            `app-service`, is read as `as_host` instead.
        port: port of the metadata service. 0 selects a free port.
        control_host: the address for the control API and the control page. Default: `host`.
        control_port: port of the control API and the control page. 0 selects a free port.
        control_hosts: names with dots by which others reach the control API, such as `host.docker.internal`. IP
            addresses and names without a dot need not be listed.
        log: write a line for each request to stderr.
        as_host: the host of managed identities to emulate: `vm` or another host of the contract, such as
            `app-service`. Default: `vm`, or `arc` if `arc` is set.
        token_example: the form of the token response on such a host, by the name of an example in the contract.
            Default: the first example.
        arc: emulate an Azure Arc agent instead of the metadata service of an Azure VM.
        arc_token_dir: folder for the agent's key files. Default: a new temporary folder.
        arc_echo: whether the agent supports user-assigned identities and returns their ids in its responses.
        rate_limits: whether too many requests get 429.
        server: value of the `Server` header. The default is sent by the metadata service only.
        token_lifetime: seconds from a token's issue to its expiry.
        issuer: the issuer of tokens: a URL, in which `{tenant}` stands for the tenant, or `azure` for the issuer of the
            machine's cloud. Default: a URL of the control server, where an API finds the keys. Tokens for Azure Storage
            have the issuer `azure` by default, because Azurite accepts no other.
        accept_mi_res_id: whether `mi_res_id` selects an identity as `msi_res_id` does. Default: yes on a VM, no on Arc.
        metadata_header: `exact`: the header must be `Metadata: true`, as some hosts of Azure require. `any`: its value
            can have any case, such as `True`. Default: `exact` on a VM, `any` on Arc.
        first_call_delay: delay in seconds of the first scheduled-events request.
        attested_digest_oid: `observed`, as in documents of Azure, or `strict`, as in the CMS standard.
        max_recorded_requests: how many requests `Emulator.requests` keeps.
        machine: the emulated machine.
        events: events to add at the start. Each is the arguments of `Emulator.schedule`, with `event_type`.
        faults: faults to add at the start. Each is the arguments of `Emulator.fail`.
        scenarios: scenarios to begin at the start. Each is the arguments of `Emulator.play`, with `name`.

    Raises:
        ValueError: a value is out of range.
    """

    host: str = DEFAULT_ADDRESS
    port: int = 0
    control_host: str | None = None
    control_port: int = 0
    control_hosts: list[str] = field(default_factory=list[str])
    log: bool = False
    as_host: str | None = None
    token_example: str | None = None
    arc: bool = False
    arc_token_dir: str | os.PathLike[str] | None = None
    arc_echo: bool = True
    rate_limits: bool = False
    server: str = DEFAULT_SERVER
    token_lifetime: int = 86400
    issuer: str | None = None
    accept_mi_res_id: bool | None = None
    metadata_header: MetadataHeader | None = None
    first_call_delay: float = 0.0
    attested_digest_oid: DigestOid = "observed"
    max_recorded_requests: int = 1000
    machine: Machine = field(default_factory=Machine)
    events: list[dict[str, Json]] = field(default_factory=list[dict[str, Json]])
    faults: list[dict[str, Json]] = field(default_factory=list[dict[str, Json]])
    scenarios: list[dict[str, Json]] = field(default_factory=list[dict[str, Json]])

    def __post_init__(self) -> None:
        if self.host in hosts.list_host_names():
            self.as_host, self.host = self.host, DEFAULT_ADDRESS
        for name in ("as_host", *BOUNDS, *CHOICES, *TEXTS, "issuer"):
            if problem := find_problem(name, getattr(self, name)):
                raise ValueError(f"{name} {problem}")

    @property
    def host_name(self) -> str:
        """The name of the emulated host in the contract, such as `azure` for a virtual machine."""
        name = self.as_host or (hosts.ARC if self.arc else hosts.AZURE)
        return hosts.AZURE if name == hosts.VM else name

    @property
    def is_arc(self) -> bool:
        """Whether the emulated host is an Azure Arc agent."""
        return self.host_name == hosts.ARC


#: The values of each setting that has a few. `None` stands for the default.
CHOICES: dict[str, tuple[str, ...]] = {
    "attested_digest_oid": ("observed", "strict"),
    "metadata_header": ("exact", "any"),
}

#: The settings that can have any text.
TEXTS = ("host", "control_host", "control_hosts", "server", "arc_token_dir")

#: Minimum and maximum of each number.
BOUNDS: dict[str, tuple[float, float]] = {
    "port": (0, 65535),
    "control_port": (0, 65535),
    "token_lifetime": (1, 10 * 365 * 86400),
    "first_call_delay": (0, 3600),
    "max_recorded_requests": (0, 1_000_000),
}


def find_problem(name: str, value: Json) -> str:
    """Returns what is wrong with the value of a setting, for a message that starts with its name; `""` if valid."""
    if name in BOUNDS:
        minimum, maximum = BOUNDS[name]
        if not minimum <= value <= maximum:
            return f"must be a number from {minimum:g} to {maximum:g}, got {value!r}"
    if problem := _find_text_problem(name, value):
        return problem
    if name == "as_host" and value is not None and value not in (names := hosts.list_host_names()):
        return f"must be one of {', '.join(names)}, got {value!r}"
    if name in CHOICES and value is not None and value not in CHOICES[name]:
        return f"must be {' or '.join(CHOICES[name])}, got {value!r}"
    if name == "issuer" and value is not None:
        return find_issuer_problem(value)
    return ""


def _find_text_problem(name: str, value: Json) -> str:
    if is_array(value):
        return next((problem for text in value if (problem := _find_text_problem(name, text))), "")
    if not isinstance(value, str):
        return ""
    if name == "server":
        if is_header_value(value):
            return ""
        return f"must be Latin-1 without control characters, for example {DEFAULT_SERVER}, got {value!a}"
    try:
        check_text(value)
    except ValueError:
        return f"must be text in UTF-8, got {value!a}"
    # A file name with a control character could not be in a header. No other setting needs one.
    return "" if value.isprintable() else f"must not contain control characters, got {value!a}"


class Options(TypedDict, total=False):
    """The attributes of `Settings` as keywords."""

    host: str
    port: int
    control_host: str | None
    control_port: int
    control_hosts: list[str]
    log: bool
    as_host: str | None
    token_example: str | None
    arc: bool
    arc_token_dir: str | os.PathLike[str] | None
    arc_echo: bool
    rate_limits: bool
    server: str
    token_lifetime: int
    issuer: str | None
    accept_mi_res_id: bool | None
    metadata_header: MetadataHeader | None
    first_call_delay: float
    attested_digest_oid: DigestOid
    max_recorded_requests: int
    machine: Machine | str
    events: list[dict[str, Json]]
    faults: list[dict[str, Json]]
    scenarios: list[dict[str, Json]]
