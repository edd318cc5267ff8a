# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="Plan")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Plan(DocumentModel):
    """Marketplace plan of the image. All fields are "" for other images. Since 2018-04-02, in attested data since
    2018-10-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    name: str = ABSENT
    """ Name of the plan. """
    product: str = ABSENT
    """ Product of the plan. """
    publisher: str = ABSENT
    """ Publisher of the plan. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "name": ("name", str),
        "product": ("product", str),
        "publisher": ("publisher", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (name := d.pop("name", None)) is not None:
            if type(name) is not str and isinstance(name, COLLECTIONS):
                raise TypeError

            self.name = name

        if (product := d.pop("product", None)) is not None:
            if type(product) is not str and isinstance(product, COLLECTIONS):
                raise TypeError

            self.product = product

        if (publisher := d.pop("publisher", None)) is not None:
            if type(publisher) is not str and isinstance(publisher, COLLECTIONS):
                raise TypeError

            self.publisher = publisher

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
