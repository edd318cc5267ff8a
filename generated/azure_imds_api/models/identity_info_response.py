# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, Model

T = TypeVar("T", bound="IdentityInfoResponse")


@_attrs_define(getstate_setstate=False)
class IdentityInfoResponse(Model):
    """Information about identities that does not require a token."""

    tenant_id: str
    """ Entra tenant id of the system-assigned identity, a GUID. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tenant_id = self.tenant_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tenantId": tenant_id,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        tenant_id = d.pop("tenantId")

        if type(tenant_id) is not str and isinstance(tenant_id, COLLECTIONS):
            raise TypeError

        model = cls(
            tenant_id,
            d,
        )
        model._received = src_dict
        return model
