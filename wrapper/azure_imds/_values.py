"""Parses values that IMDS sends as text. The documents themselves keep the text."""

from __future__ import annotations

import base64
import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import ImdsError, ImdsResponseError, ImdsValidationError

if TYPE_CHECKING:
    from azure_imds_api.models import Instance, NetworkInterface

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def tags(instance: Instance) -> dict[str, str]:
    """Returns the machine's tags by name.

    Documents since api-version 2019-06-04 have them in `tagsList`. Older documents have one string, `a:b;c:d`, without
    escaping. It is split at each `;`. The name of a piece ends at its first `:`, and a piece without `:` belongs to the
    value before it.

    Args:
        instance: the document that `imds.instances.get_metadata()` returns.

    Returns:
        Names and values. Empty if there are no tags.
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
    """Returns the machine's user data, decoded. It is not secret: every process on the machine can read it.

    Args:
        instance: the document that `imds.instances.get_metadata()` returns.

    Returns:
        The bytes. b"" if the machine has no user data.

    Raises:
        ImdsResponseError: the value in the document is not base64.
    """
    text = (instance.compute.user_data if instance.compute else None) or ""
    with suppress(ValueError):
        return base64.b64decode("".join(text.split()), validate=True)
    raise ImdsResponseError("user_data: userData is not base64")


def as_bool(text: str | None) -> bool | None:
    """Converts "true" and "false", in upper or lower case, to bool.

    Returns:
        The value. None for "" and None, which both mean that the document does not contain the value.

    Raises:
        ImdsResponseError: the text is something else.
    """
    if not text:
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise ImdsResponseError('as_bool: expected "true" or "false"')


def as_int(text: str | None) -> int | None:
    """Converts decimal digits to int.

    Returns:
        The value. None for "" and None, which both mean that the document does not contain the value.

    Raises:
        ImdsResponseError: the text is something else.
    """
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    raise ImdsResponseError('as_int: expected digits, such as "30"')


def as_address(text: str | None) -> Address | None:
    """Converts text to an IP address. IMDS sends IPv6 addresses with and without brackets; both are accepted.

    Returns:
        The address. None for "" and None, which both mean that the document does not contain the value.

    Raises:
        ImdsResponseError: the text is something else.
    """
    with suppress(ValueError):
        return _parse_address(text)
    raise ImdsResponseError('as_address: expected an IP address, such as "10.0.0.4" or "[2001:db8::4]"')


def _parse_address(text: str | None) -> Address | None:
    if not text:
        return None
    return ipaddress.ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)


def primary_interface(instance: Instance, *, local_address: str | None = None) -> NetworkInterface:
    """Returns the primary network interface. It may not be the first in the document: IMDS does not define an order.

    Requests to IMDS are sent from the primary address of the primary interface, so this function returns the interface
    with that address. (Microsoft Learn, "Azure Instance Metadata Service for virtual machines".)

    Args:
        instance: the document that `imds.instances.get_metadata()` returns, with its `network` part.
        local_address: the address from which this machine sends requests to IMDS. Default: the operating system's
            answer, which needs no request.

    Raises:
        ImdsError: no interface has this address, or this machine has no route to IMDS.
        ImdsResponseError: an address in the document is invalid.
        ImdsValidationError: `local_address` is not an IP address.
    """
    interfaces = (instance.network.interface if instance.network else None) or []
    if len(interfaces) == 1:
        return interfaces[0]
    local = _local_address(local_address)
    for interface in interfaces:
        for family in (interface.ipv4, interface.ipv6):
            for address in (family.ip_address if family else None) or []:
                if _document_address(address.private_ip_address) == local:
                    return interface
    raise ImdsError(
        f"primary_interface: none of the document's {len(interfaces)} network interfaces has the address {local}",
        hint="Early in boot, the list can be incomplete. Behind NAT (in a container), pass local_address.",
    )


def _document_address(text: str | None) -> Address | None:
    with suppress(ValueError):
        return _parse_address(text)
    raise ImdsResponseError("primary_interface: the document contains an invalid IP address")


def _local_address(given: str | None) -> Address | None:
    if not given:
        return _parse_address(_find_local_address())
    with suppress(ValueError):
        return _parse_address(given)
    problem = 'must be an IP address, such as "10.0.0.4"'
    raise ImdsValidationError(f"primary_interface: local_address {problem}", parameter="local_address", problem=problem)


def _find_local_address() -> str:
    """Returns the address from which the operating system would send a packet to IMDS. It sends nothing."""
    from ._client.host import find_host

    parts = urlsplit(find_host(None).endpoint)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((parts.hostname, parts.port or 80))
        except OSError as error:
            reason = error.strerror
        else:
            return str(probe.getsockname()[0])
    raise ImdsError(f"primary_interface: no route to IMDS: {reason}", hint="Pass local_address.")
