# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..models.known_security_type import KnownSecurityType
from ..types import COLLECTIONS

T = TypeVar("T", bound="SecurityProfile")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class SecurityProfile(DocumentModel):
    """Security features of the machine. Since 2020-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    encryption_at_host: str = ABSENT
    """ "true" or "false": whether disks are encrypted at the host. Since 2021-11-01. """
    secure_boot_enabled: str = ABSENT
    """ "true" or "false": whether UEFI secure boot is enabled. Since 2020-06-01. """
    security_type: KnownSecurityType | str = ABSENT
    """ Trusted launch or confidential machine. "" for neither. Since 2021-12-13. """
    virtual_tpm_enabled: str = ABSENT
    """ "true" or "false": whether the machine has a virtual TPM. Since 2020-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "encryption_at_host": ("encryptionAtHost", str),
        "secure_boot_enabled": ("secureBootEnabled", str),
        "security_type": ("securityType", str),
        "virtual_tpm_enabled": ("virtualTpmEnabled", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (encryption_at_host := d.pop("encryptionAtHost", None)) is not None:
            if type(encryption_at_host) is not str and isinstance(encryption_at_host, COLLECTIONS):
                raise TypeError

            self.encryption_at_host = encryption_at_host

        if (secure_boot_enabled := d.pop("secureBootEnabled", None)) is not None:
            if type(secure_boot_enabled) is not str and isinstance(secure_boot_enabled, COLLECTIONS):
                raise TypeError

            self.secure_boot_enabled = secure_boot_enabled

        if (security_type := d.pop("securityType", None)) is not None:
            if type(security_type) is not str and isinstance(security_type, COLLECTIONS):
                raise TypeError

            self.security_type = security_type

        if (virtual_tpm_enabled := d.pop("virtualTpmEnabled", None)) is not None:
            if type(virtual_tpm_enabled) is not str and isinstance(virtual_tpm_enabled, COLLECTIONS):
                raise TypeError

            self.virtual_tpm_enabled = virtual_tpm_enabled

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
