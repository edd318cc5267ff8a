# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="AmdCertification")


@_attrs_define(getstate_setstate=False)
class AmdCertification(Model):
    """Certificates for AMD SEV-SNP."""

    vcek_cert: str
    """ The certificate of this processor (VCEK), in PEM. """
    certificate_chain: str
    """ The certificates above it (ASK, then ARK), in PEM. """
    tcbm: str | Unset = UNSET
    """ Version of the firmware for which the certificate is valid, probably as hexadecimal digits. That is not
    documented. """
    cache_control: str | Unset = UNSET
    """ How long the certificates may be cached, probably in seconds. Clients read it, and the documentation does
    not have it. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        vcek_cert = self.vcek_cert

        certificate_chain = self.certificate_chain

        tcbm = self.tcbm

        cache_control = self.cache_control

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "vcekCert": vcek_cert,
                "certificateChain": certificate_chain,
            }
        )
        if tcbm is not UNSET:
            field_dict["tcbm"] = tcbm
        if cache_control is not UNSET:
            field_dict["cacheControl"] = cache_control

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        vcek_cert = d.pop("vcekCert")

        certificate_chain = d.pop("certificateChain")

        tcbm = d.pop("tcbm", UNSET)

        cache_control = d.pop("cacheControl", UNSET)

        model = cls(
            vcek_cert,
            certificate_chain,
            tcbm,
            cache_control,
            d,
        )
        model._received = src_dict
        return model

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
