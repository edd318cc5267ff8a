# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import LISTS

T = TypeVar("T", bound="Network")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Network(DocumentModel):
    """The network of the machine. Since 2017-04-02.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    interface: list[NetworkInterface] = ABSENT
    """ Network interfaces in no guaranteed order: the first is not necessarily the primary. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "interface": ("interface", list),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (interface := d.pop("interface", None)) is not None:
            _interface = interface
            if not isinstance(_interface, LISTS):
                raise TypeError
            interface = []
            _interface = _interface
            for interface_item_data in _interface:
                interface_item = NetworkInterface._read(interface_item_data)

                interface.append(interface_item)

            self.interface = interface

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.network_interface import NetworkInterface
