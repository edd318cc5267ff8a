"""Parses values that IMDS sends as text. The documents themselves keep the text."""

from __future__ import annotations

import base64
import ipaddress
import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import ImdsResponseError, ImdsUnavailableError, ImdsValidationError

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

    Raises:
        ImdsResponseError: a name or value in the document is a list or an object.
    """
    # Attributes read a list or an object in place of text as "".
    compute = instance.compute.to_dict()
    if instance.compute.tags_list or compute.get("tagsList") == []:
        documents = enumerate(tag.to_dict() for tag in instance.compute.tags_list)
        return {
            _tag_text(tag["name"], f"{index}/name"): _tag_text(tag.get("value"), f"{index}/value")
            for index, tag in documents
            if not _is_missing(tag.get("name"))
        }
    found: dict[str, str] = {}
    last = ""
    for piece in _tag_text(compute.get("tags")).split(";"):
        name, colon, value = piece.partition(":")
        if colon:
            found[name] = value
            last = name
        elif last:
            found[last] += f";{piece}"
    return found


def _tag_text(value: object, place: str = "") -> str:
    """A name or value of a tag. A real boolean or number becomes its JSON text."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise ImdsResponseError(f"tags: {f'compute/tagsList/{place}' if place else 'compute/tags'}: expected text")


def user_data(instance: Instance) -> bytes:
    """Returns the machine's user data, decoded. It is not secret: every process on the machine can read it.

    Args:
        instance: the document that `imds.instances.get_metadata()` returns.

    Returns:
        The bytes. b"" if the machine has no user data.

    Raises:
        ImdsResponseError: the value in the document is not base64.
    """
    text: object = instance.compute.to_dict().get("userData")
    if _is_missing(text):
        return b""
    with suppress(ValueError):
        if isinstance(text, str):
            return base64.b64decode("".join(text.split()), validate=True)
    raise ImdsResponseError("user_data: userData is not base64")


def as_bool(text: str | float | None, *, name: str = "") -> bool | None:
    """Converts "true" and "false", in upper or lower case, to bool. Also accepts a real boolean, 0 and 1.

    Args:
        text: a value of a document.
        name: its place in the document, such as "compute/isHostCompatibilityLayerVm". Errors contain it.

    Returns:
        The value. None for "" and None, which both mean that the document does not contain the value.

    Raises:
        ImdsResponseError: the value is something else.
    """
    if _is_missing(text):
        return None
    if isinstance(text, str) and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if isinstance(text, (int, float)) and text in (0, 1):
        return bool(text)
    raise _unexpected("as_bool", name, '"true" or "false"')


def as_int(text: str | float | None, *, name: str = "") -> int | None:
    """Converts decimal digits to int. Also accepts a real whole number that is not negative, but no boolean.

    Args:
        text: a value of a document.
        name: its place in the document, such as "compute/platformFaultDomain". Errors contain it.

    Returns:
        The value. None for "" and None, which both mean that the document does not contain the value.

    Raises:
        ImdsResponseError: the value is something else.
    """
    if _is_missing(text):
        return None
    with suppress(ValueError):  # more digits than Python converts
        if isinstance(text, str) and text.isascii() and text.isdigit():
            return int(text)
    if isinstance(text, (int, float)) and not isinstance(text, bool) and text >= 0 and text % 1 == 0:
        return int(text)
    raise _unexpected("as_int", name, 'digits, such as "30"')


def as_address(text: str | float | None, *, name: str = "") -> Address | None:
    """Converts text to an IP address. IMDS sends IPv6 addresses with and without brackets; both are accepted.

    Args:
        text: a value of a document. A number or a boolean is not an address, not even 0 or False.
        name: its place in the document, such as "network/interface/0/ipv4/ipAddress/0/privateIpAddress". Errors
            contain it.

    Returns:
        The address. None for "" and None, which both mean that the document does not contain the text.

    Raises:
        ImdsResponseError: the value is something else.
    """
    if _is_missing(text):
        return None
    with suppress(ValueError):
        if isinstance(text, str):
            return _parse_address(text)
    raise _unexpected("as_address", name, 'an IP address, such as "10.0.0.4" or "[2001:db8::4]"')


def _is_missing(value: object) -> bool:
    return value is None or value == ""


def _unexpected(caller: str, name: str, expected: str) -> ImdsResponseError:
    return ImdsResponseError(f"{caller}: {name}: expected {expected}" if name else f"{caller}: expected {expected}")


def _parse_address(text: str) -> Address:
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
        ImdsResponseError: no interface has this address, or an address in the document is invalid.
        ImdsUnavailableError: this machine has no route to IMDS.
        ImdsValidationError: `local_address` is not an IP address.
    """
    interfaces = instance.network.interface
    if len(interfaces) == 1:
        return interfaces[0]
    local = _local_address(local_address)
    for number, interface in enumerate(interfaces):
        v4, v6 = interface.ipv4.ip_address, interface.ipv6.ip_address
        addresses = {
            **{f"ipv4/ipAddress/{index}": address.private_ip_address for index, address in enumerate(v4)},
            **{f"ipv6/ipAddress/{index}": address.private_ip_address for index, address in enumerate(v6)},
        }
        for place, address in addresses.items():
            if _document_address(address, f"network/interface/{number}/{place}/privateIpAddress") == local:
                return interface
    raise ImdsResponseError(
        f"primary_interface: none of the document's {len(interfaces)} network interfaces has the address {local}",
        hint="Early in boot, the list can be incomplete. Behind NAT (in a container), pass local_address.",
    )


def _document_address(value: str | None, place: str) -> Address | None:
    with suppress(ImdsResponseError):
        return as_address(value)
    raise ImdsResponseError(f"primary_interface: the document contains an invalid IP address: {place}")


def _local_address(given: str | None) -> Address:
    if given is None:
        return _parse_address(_find_local_address())
    with suppress(ValueError):
        if isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]
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
            reason = error.strerror or str(error)
        else:
            return str(probe.getsockname()[0])
    raise ImdsUnavailableError(f"primary_interface: no route to IMDS: {reason}", hint="Pass local_address.")
