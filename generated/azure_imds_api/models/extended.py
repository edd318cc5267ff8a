# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="Extended")


@_attrs_define(getstate_setstate=False)
class Extended(Model):
    """Data for provisioning agents, returned only with extended=true. Known from the source code of such agents, not from
    Microsoft's documentation.

    """

    compute: ExtendedCompute | Unset = UNSET
    """ Data about provisioning. Observed at 2021-08-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        compute: dict[str, Any] | Unset = UNSET
        if not isinstance(self.compute, Unset):
            compute = self.compute.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if compute is not UNSET:
            field_dict["compute"] = compute

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _compute = d.pop("compute", UNSET)
        compute: ExtendedCompute | Unset
        if _compute is UNSET:
            compute = UNSET
        else:
            compute = ExtendedCompute._read(_compute)

        model = cls(
            compute,
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
from ..models.extended_compute import ExtendedCompute
