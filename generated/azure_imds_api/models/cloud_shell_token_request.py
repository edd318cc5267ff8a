# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, Model

T = TypeVar("T", bound="CloudShellTokenRequest")


@_attrs_define(getstate_setstate=False)
class CloudShellTokenRequest(Model):
    """The form of a token request on Cloud Shell."""

    resource: str
    """ App ID URI of the service that the token is for. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        resource = self.resource

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "resource": resource,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        resource = d.pop("resource")

        if type(resource) is not str and isinstance(resource, COLLECTIONS):
            raise TypeError

        model = cls(
            resource,
            d,
        )
        model._received = src_dict
        return model
