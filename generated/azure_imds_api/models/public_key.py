# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="PublicKey")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class PublicKey(DocumentModel):
    """An SSH public key of the machine. Since 2018-04-02.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    key_data: str = ABSENT
    """ The key in OpenSSH format. It may contain line breaks. Since 2018-04-02. """
    path: str = ABSENT
    """ Path of the file on the machine that contains the key. Since 2018-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "key_data": ("keyData", str),
        "path": ("path", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (key_data := d.pop("keyData", None)) is not None:
            if type(key_data) is not str and isinstance(key_data, COLLECTIONS):
                raise TypeError

            self.key_data = key_data

        if (path := d.pop("path", None)) is not None:
            if type(path) is not str and isinstance(path, COLLECTIONS):
                raise TypeError

            self.path = path

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
