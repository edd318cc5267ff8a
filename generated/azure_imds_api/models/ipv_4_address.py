# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="Ipv4Address")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Ipv4Address(DocumentModel):
    """A private IPv4 address and the public address that belongs to it. Since 2017-04-02.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    private_ip_address: str = ABSENT
    """ Address in the virtual network. Since 2017-04-02. """
    public_ip_address: str = ABSENT
    """ Public address. "" if there is none, and for public addresses of the Standard SKU, which only /loadbalancer
    returns. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "private_ip_address": ("privateIpAddress", str),
        "public_ip_address": ("publicIpAddress", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (private_ip_address := d.pop("privateIpAddress", None)) is not None:
            if type(private_ip_address) is not str and isinstance(private_ip_address, COLLECTIONS):
                raise TypeError

            self.private_ip_address = private_ip_address

        if (public_ip_address := d.pop("publicIpAddress", None)) is not None:
            if type(public_ip_address) is not str and isinstance(public_ip_address, COLLECTIONS):
                raise TypeError

            self.public_ip_address = public_ip_address

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
