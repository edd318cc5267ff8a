# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

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
            if type(name) is not str and isinstance(name, COLLECTIONS):
                raise TypeError

            self.name = name

        if (value := d.pop("value", None)) is not None:
            if type(value) is not str and isinstance(value, COLLECTIONS):
                raise TypeError

            self.value = value

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
