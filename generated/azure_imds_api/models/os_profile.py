# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="OsProfile")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class OsProfile(DocumentModel):
    """Settings of the operating system at creation. All fields are "" for specialized disks. Since 2020-07-15.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    admin_username: str = ABSENT
    """ Name of the administrator account. Since 2020-07-15. """
    computer_name: str = ABSENT
    """ Host name at creation. Since 2020-07-15. """
    disable_password_authentication: str = ABSENT
    """ "true" or "false": whether password login is disabled. "" on Windows. Since 2020-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "admin_username": ("adminUsername", str),
        "computer_name": ("computerName", str),
        "disable_password_authentication": ("disablePasswordAuthentication", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (admin_username := d.pop("adminUsername", None)) is not None:
            if type(admin_username) is not str and isinstance(admin_username, COLLECTIONS):
                raise TypeError

            self.admin_username = admin_username

        if (computer_name := d.pop("computerName", None)) is not None:
            if type(computer_name) is not str and isinstance(computer_name, COLLECTIONS):
                raise TypeError

            self.computer_name = computer_name

        if (disable_password_authentication := d.pop("disablePasswordAuthentication", None)) is not None:
            if type(disable_password_authentication) is not str and isinstance(
                disable_password_authentication, COLLECTIONS
            ):
                raise TypeError

            self.disable_password_authentication = disable_password_authentication

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
