"""Reads values that IMDS sends as text, and leaves what came over the wire as it is."""

from __future__ import annotations

import base64
import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import ImdsError, ImdsResponseError

if TYPE_CHECKING:
    from azure_imds_api.models import Instance, NetworkInterface


def tags(instance: Instance) -> dict[str, str]:
    """The machine's tags by name.

    From `tagsList` where the document has it (2019-06-04 and newer). Older documents have one string, `a:b;c:d`, which
    nothing escapes; it is read so: pieces end at each `;`, a piece's name ends at its first `:`, and a piece without
    `:` belongs to the value before it.

    Returns:
        Names and values; empty where there are no tags.
    """
    compute = instance.compute
    if compute is None:
        return {}
    if compute.tags_list is not None:
        return {tag.name: tag.value or "" for tag in compute.tags_list if tag.name is not None}
    found: dict[str, str] = {}
    last = ""
    for piece in (compute.tags or "").split(";"):
        name, colon, value = piece.partition(":")
        if colon:
            found[name] = value
            last = name
        elif last:
            found[last] += f";{piece}"
    return found


def user_data(instance: Instance) -> bytes:
    """The machine's user data, decoded; b"" where there is none. It is not secret: any process here can read it.

    Raises:
        ImdsResponseError: what IMDS sent is not base64.
    """
    text = (instance.compute.user_data if instance.compute else None) or ""
    with suppress(ValueError):
        return base64.b64decode("".join(text.split()), validate=True)
    raise ImdsResponseError("userData is not base64")


def as_bool(text: str | None) -> bool | None:
    """`true` and `false` in any case as a bool; None for "" and for a missing field.

    Raises:
        ImdsResponseError: it is something else.
    """
    if not text:
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise ImdsResponseError("neither true nor false")


def as_int(text: str | None) -> int | None:
    """Digits as an int; None for "" and for a missing field.

    Raises:
        ImdsResponseError: it is something else.
    """
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    raise ImdsResponseError("not a whole number")


def as_address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IP address; None for "" and for a missing field. IPv6 may be bare or in brackets, since IMDS sends both.

    Raises:
        ImdsResponseError: it is something else.
    """
    if not text:
        return None
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    with suppress(ValueError):
        return ipaddress.ip_address(bare)
    raise ImdsResponseError("not an IP address")


def primary_interface(instance: Instance, *, local_address: str | None = None) -> NetworkInterface:
    """The primary network interface, which need not be the first: IMDS does not promise any order.

    A request to IMDS leaves from the primary interface's primary address, so the interface that has this address is
    the one. (Microsoft Learn, "Azure Instance Metadata Service for virtual machines".)

    Args:
        instance: the document, with its `network` part.
        local_address: this machine's address towards IMDS. None to ask the operating system, which sends nothing.

    Raises:
        ImdsError: the document has no interface, or none with that address.
    """
    interfaces = (instance.network.interface if instance.network else None) or []
    if len(interfaces) == 1:
        return interfaces[0]
    local = as_address(local_address or _local_address())
    for interface in interfaces:
        for family in (interface.ipv4, interface.ipv6):
            for address in (family.ip_address if family else None) or []:
                if as_address(address.private_ip_address) == local:
                    return interface
    raise ImdsError(
        f"none of the document's {len(interfaces)} network interfaces has the address {local}",
        hint="Early in boot the list can be incomplete; behind a NAT (a container) give local_address.",
    )


def _local_address() -> str:
    from ._client.host import find_host

    parts = urlsplit(find_host(None).endpoint)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((parts.hostname, parts.port or 80))
        except OSError as error:
            reason = error.strerror
        else:
            return str(probe.getsockname()[0])
    raise ImdsError(f"this machine has no route to IMDS: {reason}", hint="Give local_address.")
