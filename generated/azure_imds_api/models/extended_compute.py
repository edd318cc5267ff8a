# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_pps_type import KnownPpsType
from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="ExtendedCompute")


@_attrs_define(getstate_setstate=False)
class ExtendedCompute(Model):
    """Data about provisioning. Observed at 2021-08-01."""

    has_custom_data: bool | Unset = UNSET
    """ Whether custom data was provided at creation. This is the only JSON boolean in the document. """
    pps_type: KnownPpsType | str | Unset = UNSET
    """ The machine's type of pre-provisioning. The string "None" if it is not pre-provisioned. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        has_custom_data = self.has_custom_data

        pps_type: str | Unset
        if isinstance(self.pps_type, Unset):
            pps_type = UNSET
        elif isinstance(self.pps_type, str):
            pps_type = self.pps_type
        else:
            pps_type = self.pps_type

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if has_custom_data is not UNSET:
            field_dict["hasCustomData"] = has_custom_data
        if pps_type is not UNSET:
            field_dict["ppsType"] = pps_type

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        has_custom_data = d.pop("hasCustomData", UNSET)

        pps_type = d.pop("ppsType", UNSET)

        model = cls(
            has_custom_data,
            pps_type,
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
