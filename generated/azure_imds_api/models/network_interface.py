# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="NetworkInterface")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class NetworkInterface(DocumentModel):
    """A network interface. Since 2017-04-02.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    interface_compartment_id: str = ABSENT
    """ Id of the network compartment, which container networks of Azure use. "" if there is none. One client once
    read it as interfaceCompartmentID. Not documented. Seen in use since 2025-07-24. """
    interface_compartment_version: str = ABSENT
    """ Version of the network compartment. "" if there is none. Not documented. Seen in use since 2025-07-24. """
    ipv4: Ipv4Configuration = ABSENT
    """ IPv4 configuration of an interface. Since 2017-04-02. """
    ipv6: Ipv6Configuration = ABSENT
    """ IPv6 configuration of an interface. IMDS does not return IPv6 subnets. Since 2017-04-02. """
    mac_address: str = ABSENT
    """ MAC address: 12 hexadecimal digits in upper case, without separators. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "interface_compartment_id": ("interfaceCompartmentId", str),
        "interface_compartment_version": ("interfaceCompartmentVersion", str),
        "ipv4": ("ipv4", "Ipv4Configuration"),
        "ipv6": ("ipv6", "Ipv6Configuration"),
        "mac_address": ("macAddress", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (interface_compartment_id := d.pop("interfaceCompartmentId", None)) is not None:
            if type(interface_compartment_id) is not str and isinstance(interface_compartment_id, COLLECTIONS):
                raise TypeError

            self.interface_compartment_id = interface_compartment_id

        if (interface_compartment_version := d.pop("interfaceCompartmentVersion", None)) is not None:
            if type(interface_compartment_version) is not str and isinstance(
                interface_compartment_version, COLLECTIONS
            ):
                raise TypeError

            self.interface_compartment_version = interface_compartment_version

        if (ipv4 := d.pop("ipv4", None)) is not None:
            ipv4 = Ipv4Configuration._read(ipv4)

            self.ipv4 = ipv4

        if (ipv6 := d.pop("ipv6", None)) is not None:
            ipv6 = Ipv6Configuration._read(ipv6)

            self.ipv6 = ipv6

        if (mac_address := d.pop("macAddress", None)) is not None:
            if type(mac_address) is not str and isinstance(mac_address, COLLECTIONS):
                raise TypeError

            self.mac_address = mac_address

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.ipv_4_configuration import Ipv4Configuration
from ..models.ipv_6_configuration import Ipv6Configuration
