"""What can be set about an emulator, with its defaults and bounds."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TypedDict

from .attested import DigestOid
from .machine import Json, Machine


@dataclass(slots=True)
class Settings:
    """Everything that an emulator can be told.

    Attributes:
        host: address to listen on. Anybody who reaches it gets tokens, worthless ones, and can turn every knob.
        port: of the metadata service; 0 picks a free one.
        control_port: of the control API and page; 0 picks a free one.
        arc: whether to be an Azure Arc agent instead of an Azure machine's service.
        arc_token_dir: folder for the agent's key files; default: a new temporary one.
        arc_echo: whether the agent knows user-assigned identities and repeats them in its answers.
        rate_limits: whether too many requests are answered with 429.
        server: the header `Server`.
        token_lifetime: seconds from a token's issue to its expiry.
        accept_mi_res_id: whether `mi_res_id` selects an identity as `msi_res_id` does.
        first_call_delay: seconds that the first scheduled-events request takes.
        attested_digest_oid: `observed`, as live documents have it, or `strict`, as the standard wants it.
        max_recorded_requests: how many requests are kept to look at.
        machine: what is emulated.
        events: events to announce at the start, each the arguments of `Emulator.schedule` with `event_type`.
        faults: failures to come from the start, each the arguments of `Emulator.fail`.

    Raises:
        ValueError: a number is out of its range.
    """

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    arc: bool = False
    arc_token_dir: str | os.PathLike[str] | None = None
    arc_echo: bool = True
    rate_limits: bool = False
    server: str = "IMDS/150.870.65.1854"
    token_lifetime: int = 86400
    accept_mi_res_id: bool = False
    first_call_delay: float = 0.0
    attested_digest_oid: DigestOid = "observed"
    max_recorded_requests: int = 1000
    machine: Machine = field(default_factory=Machine)
    events: list[dict[str, Json]] = field(default_factory=list[dict[str, Json]])
    faults: list[dict[str, Json]] = field(default_factory=list[dict[str, Json]])

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} is a number from {least:g} to {most:g}, not {value!r}")
        if self.attested_digest_oid not in DIGEST_OIDS:
            raise ValueError(f"attested_digest_oid is one of {', '.join(DIGEST_OIDS)}")


DIGEST_OIDS: tuple[DigestOid, ...] = ("observed", "strict")

#: Least and greatest value of each number.
BOUNDS: dict[str, tuple[float, float]] = {
    "port": (0, 65535),
    "control_port": (0, 65535),
    "token_lifetime": (1, 10 * 365 * 86400),
    "first_call_delay": (0, 3600),
    "max_recorded_requests": (0, 1_000_000),
}


class Options(TypedDict, total=False):
    """The same settings as keywords."""

    host: str
    port: int
    control_port: int
    arc: bool
    arc_token_dir: str | os.PathLike[str] | None
    arc_echo: bool
    rate_limits: bool
    server: str
    token_lifetime: int
    accept_mi_res_id: bool
    first_call_delay: float
    attested_digest_oid: DigestOid
    max_recorded_requests: int
    machine: Machine
    events: list[dict[str, Json]]
    faults: list[dict[str, Json]]
