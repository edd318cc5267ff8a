# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, LISTS, UNSET, Model, Unset

T = TypeVar("T", bound="ErrorResponse")


@_attrs_define(getstate_setstate=False)
class ErrorResponse(Model):
    """The reason why a request failed. Identity has its own schema."""

    error: str | Unset = UNSET
    """ Text for people. The wording is not stable. """
    newest_versions: list[str] | Unset = UNSET
    """ Sent with 400 for a missing or unknown api-version: the three newest versions that this host supports,
    newest first. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error

        newest_versions: list[str] | Unset = UNSET
        if not isinstance(self.newest_versions, Unset):
            newest_versions = self.newest_versions

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if error is not UNSET:
            field_dict["error"] = error
        if newest_versions is not UNSET:
            field_dict["newest-versions"] = newest_versions

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        error = d.pop("error", UNSET)

        if type(error) is not str and isinstance(error, COLLECTIONS):
            raise TypeError

        _newest_versions = d.pop("newest-versions", UNSET)
        if _newest_versions is not UNSET and (
            not isinstance(_newest_versions, LISTS) or any(isinstance(item, COLLECTIONS) for item in _newest_versions)
        ):
            raise TypeError
        newest_versions = cast(list[str], _newest_versions)

        model = cls(
            error,
            newest_versions,
            d,
        )
        model._received = src_dict
        return model
