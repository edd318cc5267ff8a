# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel

T = TypeVar("T", bound="Extended")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Extended(DocumentModel):
    """Data for provisioning agents, returned only with extended=true. Known from the source code of such agents, not from
    Microsoft's documentation.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    compute: ExtendedCompute = ABSENT
    """ Data about provisioning. Observed at 2021-08-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "compute": ("compute", "ExtendedCompute"),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (compute := d.pop("compute", None)) is not None:
            compute = ExtendedCompute._read(compute)

            self.compute = compute

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.extended_compute import ExtendedCompute
