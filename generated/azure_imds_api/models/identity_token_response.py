# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, UNSET, Model, NotPickled, Unset

T = TypeVar("T", bound="IdentityTokenResponse")


@_attrs_define(getstate_setstate=False)
class IdentityTokenResponse(NotPickled, Model):
    """An access token. Every observed response also contains client_id, expires_in, expires_on, ext_expires_in,
    not_before, resource and token_type. IMDS sends numbers as strings. Other managed-identity hosts send JSON numbers,
    so accept both.

    """

    access_token: str = _attrs_field(repr=False)
    """ The token, a JWT. Treat it as opaque, and as a secret. """
    client_id: str | Unset = UNSET
    """ Client id of the identity. The specification promises it for requests with client_id, and all observed
    responses contain it. """
    expires_in: int | str | Unset = UNSET
    """ Remaining lifetime in seconds, as decimal digits. Less than the full lifetime for a cached token. """
    expires_on: int | str | Unset = UNSET
    """ Expiry in Unix seconds, as decimal digits. Equals the exp claim. Prefer it to expires_in. """
    ext_expires_in: int | str | Unset = UNSET
    """ How many seconds the token may be used beyond its expiry while the authority is unavailable, as decimal
    digits. """
    msi_res_id: str | Unset = UNSET
    """ Azure resource id of the identity, if the request selected it that way. """
    not_before: int | str | Unset = UNSET
    """ Start of validity in Unix seconds, as decimal digits. Equals the nbf claim. In the past for a cached token.
    """
    object_id: str | Unset = UNSET
    """ Object id of the identity, if the request selected it that way. """
    refresh_in: int | str | Unset = UNSET
    """ Seconds until the token should be refreshed. Neither specified nor observed on IMDS, but clients use it
    where a host sends it. Without it, they refresh tokens of two hours or more at half of their lifetime. """
    refresh_token: str | Unset = _attrs_field(default=UNSET, repr=False)
    """ Not used. Appears only in a sample of the documentation, as "". """
    resource: str | Unset = UNSET
    """ The requested resource. """
    token_type: str | Unset = UNSET
    """ Type of the token for the Authorization header, Bearer. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict, repr=False)

    def __copy__(self) -> IdentityTokenResponse:
        return self.from_dict(self.to_dict())

    def __deepcopy__(self, memo: Any) -> IdentityTokenResponse:
        return self.from_dict(deepcopy(self.to_dict(), memo))

    def to_dict(self) -> dict[str, Any]:
        access_token = self.access_token

        client_id = self.client_id

        expires_in: int | str | Unset
        if isinstance(self.expires_in, Unset):
            expires_in = UNSET
        else:
            expires_in = self.expires_in

        expires_on: int | str | Unset
        if isinstance(self.expires_on, Unset):
            expires_on = UNSET
        else:
            expires_on = self.expires_on

        ext_expires_in: int | str | Unset
        if isinstance(self.ext_expires_in, Unset):
            ext_expires_in = UNSET
        else:
            ext_expires_in = self.ext_expires_in

        msi_res_id = self.msi_res_id

        not_before: int | str | Unset
        if isinstance(self.not_before, Unset):
            not_before = UNSET
        else:
            not_before = self.not_before

        object_id = self.object_id

        refresh_in: int | str | Unset
        if isinstance(self.refresh_in, Unset):
            refresh_in = UNSET
        else:
            refresh_in = self.refresh_in

        refresh_token = self.refresh_token

        resource = self.resource

        token_type = self.token_type

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "access_token": access_token,
            }
        )
        if client_id is not UNSET:
            field_dict["client_id"] = client_id
        if expires_in is not UNSET:
            field_dict["expires_in"] = expires_in
        if expires_on is not UNSET:
            field_dict["expires_on"] = expires_on
        if ext_expires_in is not UNSET:
            field_dict["ext_expires_in"] = ext_expires_in
        if msi_res_id is not UNSET:
            field_dict["msi_res_id"] = msi_res_id
        if not_before is not UNSET:
            field_dict["not_before"] = not_before
        if object_id is not UNSET:
            field_dict["object_id"] = object_id
        if refresh_in is not UNSET:
            field_dict["refresh_in"] = refresh_in
        if refresh_token is not UNSET:
            field_dict["refresh_token"] = refresh_token
        if resource is not UNSET:
            field_dict["resource"] = resource
        if token_type is not UNSET:
            field_dict["token_type"] = token_type

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        access_token = d.pop("access_token")

        if type(access_token) is not str and isinstance(access_token, COLLECTIONS):
            raise TypeError

        client_id = d.pop("client_id", UNSET)

        if type(client_id) is not str and isinstance(client_id, COLLECTIONS):
            raise TypeError

        expires_in = d.pop("expires_in", UNSET)

        if isinstance(expires_in, COLLECTIONS):
            raise TypeError

        expires_on = d.pop("expires_on", UNSET)

        if isinstance(expires_on, COLLECTIONS):
            raise TypeError

        ext_expires_in = d.pop("ext_expires_in", UNSET)

        if isinstance(ext_expires_in, COLLECTIONS):
            raise TypeError

        msi_res_id = d.pop("msi_res_id", UNSET)

        if type(msi_res_id) is not str and isinstance(msi_res_id, COLLECTIONS):
            raise TypeError

        not_before = d.pop("not_before", UNSET)

        if isinstance(not_before, COLLECTIONS):
            raise TypeError

        object_id = d.pop("object_id", UNSET)

        if type(object_id) is not str and isinstance(object_id, COLLECTIONS):
            raise TypeError

        refresh_in = d.pop("refresh_in", UNSET)

        if isinstance(refresh_in, COLLECTIONS):
            raise TypeError

        refresh_token = d.pop("refresh_token", UNSET)

        if type(refresh_token) is not str and isinstance(refresh_token, COLLECTIONS):
            raise TypeError

        resource = d.pop("resource", UNSET)

        if type(resource) is not str and isinstance(resource, COLLECTIONS):
            raise TypeError

        token_type = d.pop("token_type", UNSET)

        if type(token_type) is not str and isinstance(token_type, COLLECTIONS):
            raise TypeError

        model = cls(
            access_token,
            client_id,
            expires_in,
            expires_on,
            ext_expires_in,
            msi_res_id,
            not_before,
            object_id,
            refresh_in,
            refresh_token,
            resource,
            token_type,
            d,
        )
        model._received = src_dict
        return model
