# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel

T = TypeVar("T", bound="Instance")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class Instance(DocumentModel):
    """The metadata document. Every field may be missing: the operation's description lists what older versions and other
    hosts omit.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    compute: Compute = ABSENT
    """ The virtual machine itself. Missing on classic (pre-ARM) machines. "" means that a field does not apply. """
    extended: Extended = ABSENT
    """ Data for provisioning agents, returned only with extended=true. Known from the source code of such agents,
    not from Microsoft's documentation. """
    network: Network = ABSENT
    """ The network of the machine. Since 2017-04-02. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "compute": ("compute", "Compute"),
        "extended": ("extended", "Extended"),
        "network": ("network", "Network"),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (compute := d.pop("compute", None)) is not None:
            compute = Compute._read(compute)

            self.compute = compute

        if (extended := d.pop("extended", None)) is not None:
            extended = Extended._read(extended)

            self.extended = extended

        if (network := d.pop("network", None)) is not None:
            network = Network._read(network)

            self.network = network

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.compute import Compute
from ..models.extended import Extended
from ..models.network import Network
