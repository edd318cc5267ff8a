# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import COLLECTIONS, Model

T = TypeVar("T", bound="AttestedDocument")


@_attrs_define(getstate_setstate=False)
class AttestedDocument(Model):
    """A signed document about the machine. `signature` contains the data."""

    encoding: str
    """ Encoding of the signature, always pkcs7. Reject anything else. """
    signature: str
    """ CMS SignedData (DER) in base64, on one line. It contains AttestedData as JSON and the signing certificate,
    but no intermediate certificates. Its digest algorithm is sha256WithRSAEncryption, which strict CMS libraries
    may reject. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        encoding = self.encoding

        signature = self.signature

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "encoding": encoding,
                "signature": signature,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        encoding = d.pop("encoding")

        if type(encoding) is not str and isinstance(encoding, COLLECTIONS):
            raise TypeError

        signature = d.pop("signature")

        if type(signature) is not str and isinstance(signature, COLLECTIONS):
            raise TypeError

        model = cls(
            encoding,
            signature,
            d,
        )
        model._received = src_dict
        return model
