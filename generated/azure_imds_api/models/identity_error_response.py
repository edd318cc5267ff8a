# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_identity_error_code import KnownIdentityErrorCode, check_known_identity_error_code
from ..types import UNSET, Unset

T = TypeVar("T", bound="IdentityErrorResponse")


@_attrs_define
class IdentityErrorResponse:
    """The reason why an identity request failed."""

    error: KnownIdentityErrorCode | str | Unset = UNSET
    """ Error code. Not specific enough without the status: IMDS sends invalid_request for a missing header, a
    missing identity and for throttling. """
    error_description: str | Unset = UNSET
    """ Text for people. It may change without notice. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

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

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_error(data: object) -> KnownIdentityErrorCode | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                error_type_0 = check_known_identity_error_code(data)

                return error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(KnownIdentityErrorCode | str | Unset, data)

        error = _parse_error(d.pop("error", UNSET))

        error_description = d.pop("error_description", UNSET)

        identity_error_response = cls(
            error=error,
            error_description=error_description,
        )

        identity_error_response.additional_properties = d
        return identity_error_response

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
