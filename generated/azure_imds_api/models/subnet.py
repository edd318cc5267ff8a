# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="Subnet")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Subnet(DocumentModel):
    """An IPv4 subnet. Since 2017-04-02.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    address: str = ABSENT
    """ First address of the subnet. Since 2017-04-02. """
    prefix: str = ABSENT
    """ Prefix length, as decimal digits. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "address": ("address", str),
        "prefix": ("prefix", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (address := d.pop("address", None)) is not None:
            if type(address) is not str and isinstance(address, COLLECTIONS):
                raise TypeError

            self.address = address

        if (prefix := d.pop("prefix", None)) is not None:
            if type(prefix) is not str and isinstance(prefix, COLLECTIONS):
                raise TypeError

            self.prefix = prefix

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
