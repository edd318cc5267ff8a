# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import LISTS

T = TypeVar("T", bound="LoadBalancer")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class LoadBalancer(DocumentModel):
    """Public addresses and rules. Since 2020-10-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    public_ip_addresses: list[PublicIpAddress] = ABSENT
    """ Instance-level public addresses. [] if there are none. Since 2020-10-01. """
    inbound_rules: list[InboundRule] = ABSENT
    """ Load-balancing rules and inbound NAT rules that lead to this machine. [] if there are none. Since
    2020-10-01. """
    outbound_rules: list[OutboundRule] = ABSENT
    """ Rules for traffic that leaves this machine through the load balancer. [] if there are none. Since
    2020-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "public_ip_addresses": ("publicIpAddresses", list),
        "inbound_rules": ("inboundRules", list),
        "outbound_rules": ("outboundRules", list),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (public_ip_addresses := d.pop("publicIpAddresses", None)) is not None:
            _public_ip_addresses = public_ip_addresses
            if not isinstance(_public_ip_addresses, LISTS):
                raise TypeError
            public_ip_addresses = []
            _public_ip_addresses = _public_ip_addresses
            for public_ip_addresses_item_data in _public_ip_addresses:
                public_ip_addresses_item = PublicIpAddress._read(public_ip_addresses_item_data)

                public_ip_addresses.append(public_ip_addresses_item)

            self.public_ip_addresses = public_ip_addresses

        if (inbound_rules := d.pop("inboundRules", None)) is not None:
            _inbound_rules = inbound_rules
            if not isinstance(_inbound_rules, LISTS):
                raise TypeError
            inbound_rules = []
            _inbound_rules = _inbound_rules
            for inbound_rules_item_data in _inbound_rules:
                inbound_rules_item = InboundRule._read(inbound_rules_item_data)

                inbound_rules.append(inbound_rules_item)

            self.inbound_rules = inbound_rules

        if (outbound_rules := d.pop("outboundRules", None)) is not None:
            _outbound_rules = outbound_rules
            if not isinstance(_outbound_rules, LISTS):
                raise TypeError
            outbound_rules = []
            _outbound_rules = _outbound_rules
            for outbound_rules_item_data in _outbound_rules:
                outbound_rules_item = OutboundRule._read(outbound_rules_item_data)

                outbound_rules.append(outbound_rules_item)

            self.outbound_rules = outbound_rules

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.inbound_rule import InboundRule
from ..models.outbound_rule import OutboundRule
from ..models.public_ip_address import PublicIpAddress
