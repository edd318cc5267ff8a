# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import LISTS

T = TypeVar("T", bound="StorageProfile")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class StorageProfile(DocumentModel):
    """Image and disks of the machine. Since 2019-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    data_disks: list[DataDisk] = ABSENT
    """ Data disks. [] if there are none. Since 2019-06-01. """
    image_reference: ImageReference = ABSENT
    """ The image of the machine: id for a custom image, otherwise offer, publisher, sku and version. All fields are
    "" if an existing OS disk was attached. Since 2019-06-01. """
    os_disk: OsDisk = ABSENT
    """ The operating system disk. Since 2019-06-01. """
    resource_disk: ResourceDisk = ABSENT
    """ The local temporary disk. Since 2021-02-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "data_disks": ("dataDisks", list),
        "image_reference": ("imageReference", "ImageReference"),
        "os_disk": ("osDisk", "OsDisk"),
        "resource_disk": ("resourceDisk", "ResourceDisk"),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (data_disks := d.pop("dataDisks", None)) is not None:
            _data_disks = data_disks
            if not isinstance(_data_disks, LISTS):
                raise TypeError
            data_disks = []
            _data_disks = _data_disks
            for data_disks_item_data in _data_disks:
                data_disks_item = DataDisk._read(data_disks_item_data)

                data_disks.append(data_disks_item)

            self.data_disks = data_disks

        if (image_reference := d.pop("imageReference", None)) is not None:
            image_reference = ImageReference._read(image_reference)

            self.image_reference = image_reference

        if (os_disk := d.pop("osDisk", None)) is not None:
            os_disk = OsDisk._read(os_disk)

            self.os_disk = os_disk

        if (resource_disk := d.pop("resourceDisk", None)) is not None:
            resource_disk = ResourceDisk._read(resource_disk)

            self.resource_disk = resource_disk

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.data_disk import DataDisk
from ..models.image_reference import ImageReference
from ..models.os_disk import OsDisk
from ..models.resource_disk import ResourceDisk
