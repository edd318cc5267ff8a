# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="Instance")


@_attrs_define(getstate_setstate=False)
class Instance(Model):
    """The metadata document. Every field may be missing: the operation's description lists what older versions and other
    hosts omit.

    """

    compute: Compute | Unset = UNSET
    """ The virtual machine itself. Missing on classic (pre-ARM) machines. "" means that a field does not apply. """
    extended: Extended | Unset = UNSET
    """ Data for provisioning agents, returned only with extended=true. Known from the source code of such agents,
    not from Microsoft's documentation. """
    network: Network | Unset = UNSET
    """ The network of the machine. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        compute: dict[str, Any] | Unset = UNSET
        if not isinstance(self.compute, Unset):
            compute = self.compute.to_dict()

        extended: dict[str, Any] | Unset = UNSET
        if not isinstance(self.extended, Unset):
            extended = self.extended.to_dict()

        network: dict[str, Any] | Unset = UNSET
        if not isinstance(self.network, Unset):
            network = self.network.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if compute is not UNSET:
            field_dict["compute"] = compute
        if extended is not UNSET:
            field_dict["extended"] = extended
        if network is not UNSET:
            field_dict["network"] = network

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _compute = d.pop("compute", UNSET)
        compute: Compute | Unset
        if _compute is UNSET:
            compute = UNSET
        else:
            compute = Compute._read(_compute)

        _extended = d.pop("extended", UNSET)
        extended: Extended | Unset
        if _extended is UNSET:
            extended = UNSET
        else:
            extended = Extended._read(_extended)

        _network = d.pop("network", UNSET)
        network: Network | Unset
        if _network is UNSET:
            network = UNSET
        else:
            network = Network._read(_network)

        model = cls(
            compute,
            extended,
            network,
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
from ..models.compute import Compute
from ..models.extended import Extended
from ..models.network import Network
