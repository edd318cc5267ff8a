# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="AttestedTimeStamp")


@_attrs_define(getstate_setstate=False)
class AttestedTimeStamp(Model):
    """Validity period of the document. Microsoft's tables name the field timestamp, but documents have timeStamp. Since
    2018-10-01.

    """

    created_on: str | Unset = UNSET
    """ Time of signing in UTC, as MM/DD/YY HH:MM:SS -0000 with a two-digit year. Since 2018-10-01. """
    expires_on: str | Unset = UNSET
    """ End of the validity period, in the same format. Six hours in a recent capture, seconds in a sample: use this
    value, and do not assume a duration. Since 2018-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_on = self.created_on

        expires_on = self.expires_on

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if created_on is not UNSET:
            field_dict["createdOn"] = created_on
        if expires_on is not UNSET:
            field_dict["expiresOn"] = expires_on

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        created_on = d.pop("createdOn", UNSET)

        expires_on = d.pop("expiresOn", UNSET)

        model = cls(
            created_on,
            expires_on,
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
