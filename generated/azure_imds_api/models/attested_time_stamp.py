# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="AttestedTimeStamp")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class AttestedTimeStamp(DocumentModel):
    """Validity period of the document. Microsoft's tables name the field timestamp, but documents have timeStamp. Since
    2018-10-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    created_on: str = ABSENT
    """ Time of signing in UTC, as MM/DD/YY HH:MM:SS -0000 with a two-digit year. Since 2018-10-01. """
    expires_on: str = ABSENT
    """ End of the validity period, in the same format. Six hours in a recent capture, seconds in a sample: use this
    value, and do not assume a duration. Since 2018-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "created_on": ("createdOn", str),
        "expires_on": ("expiresOn", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (created_on := d.pop("createdOn", None)) is not None:
            if type(created_on) is not str and isinstance(created_on, COLLECTIONS):
                raise TypeError

            self.created_on = created_on

        if (expires_on := d.pop("expiresOn", None)) is not None:
            if type(expires_on) is not str and isinstance(expires_on, COLLECTIONS):
                raise TypeError

            self.expires_on = expires_on

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
