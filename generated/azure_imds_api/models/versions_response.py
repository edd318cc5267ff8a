# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, LISTS, Model

T = TypeVar("T", bound="VersionsResponse")


@_attrs_define(getstate_setstate=False)
class VersionsResponse(Model):
    """The API versions that this host supports."""

    api_versions: list[str]
    """ Versions of /instance as YYYY-MM-DD, oldest first. The last one is the newest. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        api_versions = self.api_versions

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "apiVersions": api_versions,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _api_versions = d.pop("apiVersions")
        if not isinstance(_api_versions, LISTS) or any(isinstance(item, COLLECTIONS) for item in _api_versions):
            raise TypeError
        api_versions = cast(list[str], _api_versions)

        model = cls(
            api_versions,
            d,
        )
        model._received = src_dict
        return model
