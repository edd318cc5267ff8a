# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, Model, NotPickled

T = TypeVar("T", bound="WorkloadIdentityTokenRequest")


@_attrs_define(getstate_setstate=False)
class WorkloadIdentityTokenRequest(NotPickled, Model):
    """The form of a token request with the token of a Kubernetes service account."""

    client_id: str
    """ Client id of the identity. """
    client_assertion: str = _attrs_field(repr=False)
    """ The token of the service account, which proves who asks. """
    scope: str
    """ The resource, followed by `/.default`. """
    grant_type: str = "client_credentials"
    """ The kind of the request. """
    client_assertion_type: str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    """ The kind of the proof. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict, repr=False)

    def __copy__(self) -> WorkloadIdentityTokenRequest:
        return self.from_dict(self.to_dict())

    def __deepcopy__(self, memo: Any) -> WorkloadIdentityTokenRequest:
        return self.from_dict(deepcopy(self.to_dict(), memo))

    def to_dict(self) -> dict[str, Any]:
        client_id = self.client_id

        client_assertion = self.client_assertion

        scope = self.scope

        grant_type = self.grant_type

        client_assertion_type = self.client_assertion_type

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "client_id": client_id,
                "client_assertion": client_assertion,
                "scope": scope,
                "grant_type": grant_type,
                "client_assertion_type": client_assertion_type,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        client_id = d.pop("client_id")

        if type(client_id) is not str and isinstance(client_id, COLLECTIONS):
            raise TypeError

        client_assertion = d.pop("client_assertion")

        if type(client_assertion) is not str and isinstance(client_assertion, COLLECTIONS):
            raise TypeError

        scope = d.pop("scope")

        if type(scope) is not str and isinstance(scope, COLLECTIONS):
            raise TypeError

        grant_type = d.pop("grant_type")

        if type(grant_type) is not str and isinstance(grant_type, COLLECTIONS):
            raise TypeError

        client_assertion_type = d.pop("client_assertion_type")

        if type(client_assertion_type) is not str and isinstance(client_assertion_type, COLLECTIONS):
            raise TypeError

        model = cls(
            client_id,
            client_assertion,
            scope,
            grant_type,
            client_assertion_type,
            d,
        )
        model._received = src_dict
        return model
