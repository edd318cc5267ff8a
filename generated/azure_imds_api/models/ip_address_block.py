# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import NOTHING_LENT, DocumentModel

T = TypeVar("T", bound="IpAddressBlock")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class IpAddressBlock(DocumentModel):
    """A block of addresses, presumably an address and the length of its prefix. The names of its members are not known, so
    they are additional properties. Not documented. Seen in use since 2025-07-24.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {}

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
