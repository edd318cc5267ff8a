# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_identity_error_code import KnownIdentityErrorCode
from ..types import COLLECTIONS, UNSET, Model, Unset

T = TypeVar("T", bound="IdentityErrorResponse")


@_attrs_define(getstate_setstate=False)
class IdentityErrorResponse(Model):
    """The reason why an identity request failed."""

    error: KnownIdentityErrorCode | str | Unset = UNSET
    """ Error code. Not specific enough without the status: IMDS sends invalid_request for a missing header, a
    missing identity and for throttling. """
    error_description: str | Unset = UNSET
    """ Text for people. It may change without notice. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error: str | Unset
        if isinstance(self.error, Unset):
            error = UNSET
        elif isinstance(self.error, str):
            error = self.error
        else:
            error = self.error

        error_description = self.error_description

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if error is not UNSET:
            field_dict["error"] = error
        if error_description is not UNSET:
            field_dict["error_description"] = error_description

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        error = d.pop("error", UNSET)

        if type(error) is not str and isinstance(error, COLLECTIONS):
            raise TypeError

        error_description = d.pop("error_description", UNSET)

        if type(error_description) is not str and isinstance(error_description, COLLECTIONS):
            raise TypeError

        model = cls(
            error,
            error_description,
            d,
        )
        model._received = src_dict
        return model
