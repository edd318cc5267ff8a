# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import LISTS

T = TypeVar("T", bound="Ipv4Configuration")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Ipv4Configuration(DocumentModel):
    """IPv4 configuration of an interface. Since 2017-04-02.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    ip_address: list[Ipv4Address] = ABSENT
    """ Addresses of the interface. Since 2017-04-02. """
    ip_address_block: list[IpAddressBlock] = ABSENT
    """ Blocks of addresses of the interface. Not documented. Seen in use since 2025-07-24. """
    subnet: list[Subnet] = ABSENT
    """ Subnets of the interface. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "ip_address": ("ipAddress", list),
        "ip_address_block": ("ipAddressBlock", list),
        "subnet": ("subnet", list),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (ip_address := d.pop("ipAddress", None)) is not None:
            _ip_address = ip_address
            if not isinstance(_ip_address, LISTS):
                raise TypeError
            ip_address = []
            _ip_address = _ip_address
            for ip_address_item_data in _ip_address:
                ip_address_item = Ipv4Address._read(ip_address_item_data)

                ip_address.append(ip_address_item)

            self.ip_address = ip_address

        if (ip_address_block := d.pop("ipAddressBlock", None)) is not None:
            _ip_address_block = ip_address_block
            if not isinstance(_ip_address_block, LISTS):
                raise TypeError
            ip_address_block = []
            _ip_address_block = _ip_address_block
            for ip_address_block_item_data in _ip_address_block:
                ip_address_block_item = IpAddressBlock._read(ip_address_block_item_data)

                ip_address_block.append(ip_address_block_item)

            self.ip_address_block = ip_address_block

        if (subnet := d.pop("subnet", None)) is not None:
            _subnet = subnet
            if not isinstance(_subnet, LISTS):
                raise TypeError
            subnet = []
            _subnet = _subnet
            for subnet_item_data in _subnet:
                subnet_item = Subnet._read(subnet_item_data)

                subnet.append(subnet_item)

            self.subnet = subnet

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.ip_address_block import IpAddressBlock
from ..models.ipv_4_address import Ipv4Address
from ..models.subnet import Subnet
