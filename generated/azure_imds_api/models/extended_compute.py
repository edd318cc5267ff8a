# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..models.known_pps_type import KnownPpsType
from ..types import COLLECTIONS, UNSET, Unset

T = TypeVar("T", bound="ExtendedCompute")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class ExtendedCompute(DocumentModel):
    """Data about provisioning. Observed at 2021-08-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    has_custom_data: bool | Unset = UNSET
    """ Whether custom data was provided at creation. This is the only JSON boolean in the document. """
    pps_type: KnownPpsType | str = ABSENT
    """ The machine's type of pre-provisioning. The string "None" if it is not pre-provisioned. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "has_custom_data": ("hasCustomData", None),
        "pps_type": ("ppsType", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (has_custom_data := d.pop("hasCustomData", None)) is not None:
            if isinstance(has_custom_data, COLLECTIONS):
                raise TypeError

            self.has_custom_data = has_custom_data

        if (pps_type := d.pop("ppsType", None)) is not None:
            if type(pps_type) is not str and isinstance(pps_type, COLLECTIONS):
                raise TypeError

            self.pps_type = pps_type

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
