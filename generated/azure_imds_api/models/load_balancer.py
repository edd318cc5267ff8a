# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import LISTS, UNSET, Model, Unset

T = TypeVar("T", bound="LoadBalancer")


@_attrs_define(getstate_setstate=False)
class LoadBalancer(Model):
    """Public addresses and rules. Since 2020-10-01."""

    public_ip_addresses: list[PublicIpAddress] | Unset = UNSET
    """ Instance-level public addresses. [] if there are none. Since 2020-10-01. """
    inbound_rules: list[InboundRule] | Unset = UNSET
    """ Load-balancing rules and inbound NAT rules that lead to this machine. [] if there are none. Since
    2020-10-01. """
    outbound_rules: list[OutboundRule] | Unset = UNSET
    """ Rules for traffic that leaves this machine through the load balancer. [] if there are none. Since
    2020-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        public_ip_addresses: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.public_ip_addresses, Unset):
            public_ip_addresses = []
            for public_ip_addresses_item_data in self.public_ip_addresses:
                public_ip_addresses_item = public_ip_addresses_item_data.to_dict()
                public_ip_addresses.append(public_ip_addresses_item)

        inbound_rules: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.inbound_rules, Unset):
            inbound_rules = []
            for inbound_rules_item_data in self.inbound_rules:
                inbound_rules_item = inbound_rules_item_data.to_dict()
                inbound_rules.append(inbound_rules_item)

        outbound_rules: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.outbound_rules, Unset):
            outbound_rules = []
            for outbound_rules_item_data in self.outbound_rules:
                outbound_rules_item = outbound_rules_item_data.to_dict()
                outbound_rules.append(outbound_rules_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if public_ip_addresses is not UNSET:
            field_dict["publicIpAddresses"] = public_ip_addresses
        if inbound_rules is not UNSET:
            field_dict["inboundRules"] = inbound_rules
        if outbound_rules is not UNSET:
            field_dict["outboundRules"] = outbound_rules

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _public_ip_addresses = d.pop("publicIpAddresses", UNSET)
        if _public_ip_addresses is not UNSET and not isinstance(_public_ip_addresses, LISTS):
            raise TypeError
        _public_ip_addresses = _public_ip_addresses
        public_ip_addresses: list[PublicIpAddress] | Unset = UNSET
        if _public_ip_addresses is not UNSET:
            public_ip_addresses = []
            for public_ip_addresses_item_data in _public_ip_addresses:
                public_ip_addresses_item = PublicIpAddress._read(public_ip_addresses_item_data)

                public_ip_addresses.append(public_ip_addresses_item)

        _inbound_rules = d.pop("inboundRules", UNSET)
        if _inbound_rules is not UNSET and not isinstance(_inbound_rules, LISTS):
            raise TypeError
        _inbound_rules = _inbound_rules
        inbound_rules: list[InboundRule] | Unset = UNSET
        if _inbound_rules is not UNSET:
            inbound_rules = []
            for inbound_rules_item_data in _inbound_rules:
                inbound_rules_item = InboundRule._read(inbound_rules_item_data)

                inbound_rules.append(inbound_rules_item)

        _outbound_rules = d.pop("outboundRules", UNSET)
        if _outbound_rules is not UNSET and not isinstance(_outbound_rules, LISTS):
            raise TypeError
        _outbound_rules = _outbound_rules
        outbound_rules: list[OutboundRule] | Unset = UNSET
        if _outbound_rules is not UNSET:
            outbound_rules = []
            for outbound_rules_item_data in _outbound_rules:
                outbound_rules_item = OutboundRule._read(outbound_rules_item_data)

                outbound_rules.append(outbound_rules_item)

        model = cls(
            public_ip_addresses,
            inbound_rules,
            outbound_rules,
            d,
        )
        model._received = src_dict
        return model

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


# Imported last, because models may refer to each other: this class exists now.
from ..models.inbound_rule import InboundRule
from ..models.outbound_rule import OutboundRule
from ..models.public_ip_address import PublicIpAddress
