# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="AmdCertification")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class AmdCertification(DocumentModel):
    """Certificates for AMD SEV-SNP.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    vcek_cert: str
    """ The certificate of this processor (VCEK), in PEM. """
    certificate_chain: str
    """ The certificates above it (ASK, then ARK), in PEM. """
    tcbm: str = ABSENT
    """ Version of the firmware for which the certificate is valid, probably as hexadecimal digits. That is not
    documented. """
    cache_control: str = ABSENT
    """ How long the certificates may be cached, probably in seconds. Clients read it, and the documentation does
    not have it. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "vcek_cert": ("vcekCert", None),
        "certificate_chain": ("certificateChain", None),
        "tcbm": ("tcbm", str),
        "cache_control": ("cacheControl", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        vcek_cert = d.pop("vcekCert")

        if type(vcek_cert) is not str and isinstance(vcek_cert, COLLECTIONS):
            raise TypeError

        self.vcek_cert = vcek_cert

        certificate_chain = d.pop("certificateChain")

        if type(certificate_chain) is not str and isinstance(certificate_chain, COLLECTIONS):
            raise TypeError

        self.certificate_chain = certificate_chain

        if (tcbm := d.pop("tcbm", None)) is not None:
            if type(tcbm) is not str and isinstance(tcbm, COLLECTIONS):
                raise TypeError

            self.tcbm = tcbm

        if (cache_control := d.pop("cacheControl", None)) is not None:
            if type(cache_control) is not str and isinstance(cache_control, COLLECTIONS):
                raise TypeError

            self.cache_control = cache_control

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
