# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="AdditionalCapabilities")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class AdditionalCapabilities(DocumentModel):
    """Optional capabilities of the machine. Since 2021-11-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    hibernation_enabled: str = ABSENT
    """ "true" or "false": whether the machine can hibernate. Since 2021-11-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "hibernation_enabled": ("hibernationEnabled", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (hibernation_enabled := d.pop("hibernationEnabled", None)) is not None:
            if type(hibernation_enabled) is not str and isinstance(hibernation_enabled, COLLECTIONS):
                raise TypeError

            self.hibernation_enabled = hibernation_enabled

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
