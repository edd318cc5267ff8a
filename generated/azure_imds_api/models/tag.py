# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel

T = TypeVar("T", bound="Tag")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Tag(DocumentModel):
    """A tag of the machine. Since 2019-06-04.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    name: str = ABSENT
    """ Name of the tag. Since 2019-06-04. """
    value: str = ABSENT
    """ Value of the tag, unchanged. Since 2019-06-04. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "name": ("name", str),
        "value": ("value", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (name := d.pop("name", None)) is not None:
            self.name = name

        if (value := d.pop("value", None)) is not None:
            self.value = value

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]
