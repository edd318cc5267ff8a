# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import LISTS, UNSET, Model, Unset

T = TypeVar("T", bound="StorageProfile")


@_attrs_define(getstate_setstate=False)
class StorageProfile(Model):
    """Image and disks of the machine. Since 2019-06-01."""

    data_disks: list[DataDisk] | Unset = UNSET
    """ Data disks. [] if there are none. Since 2019-06-01. """
    image_reference: ImageReference | Unset = UNSET
    """ The image of the machine: id for a custom image, otherwise offer, publisher, sku and version. All fields are
    "" if an existing OS disk was attached. Since 2019-06-01. """
    os_disk: OsDisk | Unset = UNSET
    """ The operating system disk. Since 2019-06-01. """
    resource_disk: ResourceDisk | Unset = UNSET
    """ The local temporary disk. Since 2021-02-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        data_disks: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.data_disks, Unset):
            data_disks = []
            for data_disks_item_data in self.data_disks:
                data_disks_item = data_disks_item_data.to_dict()
                data_disks.append(data_disks_item)

        image_reference: dict[str, Any] | Unset = UNSET
        if not isinstance(self.image_reference, Unset):
            image_reference = self.image_reference.to_dict()

        os_disk: dict[str, Any] | Unset = UNSET
        if not isinstance(self.os_disk, Unset):
            os_disk = self.os_disk.to_dict()

        resource_disk: dict[str, Any] | Unset = UNSET
        if not isinstance(self.resource_disk, Unset):
            resource_disk = self.resource_disk.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if data_disks is not UNSET:
            field_dict["dataDisks"] = data_disks
        if image_reference is not UNSET:
            field_dict["imageReference"] = image_reference
        if os_disk is not UNSET:
            field_dict["osDisk"] = os_disk
        if resource_disk is not UNSET:
            field_dict["resourceDisk"] = resource_disk

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        _data_disks = d.pop("dataDisks", UNSET)
        if _data_disks is not UNSET and not isinstance(_data_disks, LISTS):
            raise TypeError
        _data_disks = _data_disks
        data_disks: list[DataDisk] | Unset = UNSET
        if _data_disks is not UNSET:
            data_disks = []
            for data_disks_item_data in _data_disks:
                data_disks_item = DataDisk._read(data_disks_item_data)

                data_disks.append(data_disks_item)

        _image_reference = d.pop("imageReference", UNSET)
        image_reference: ImageReference | Unset
        if _image_reference is UNSET:
            image_reference = UNSET
        else:
            image_reference = ImageReference._read(_image_reference)

        _os_disk = d.pop("osDisk", UNSET)
        os_disk: OsDisk | Unset
        if _os_disk is UNSET:
            os_disk = UNSET
        else:
            os_disk = OsDisk._read(_os_disk)

        _resource_disk = d.pop("resourceDisk", UNSET)
        resource_disk: ResourceDisk | Unset
        if _resource_disk is UNSET:
            resource_disk = UNSET
        else:
            resource_disk = ResourceDisk._read(_resource_disk)

        model = cls(
            data_disks,
            image_reference,
            os_disk,
            resource_disk,
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


# Imported last, because models may refer to each other: this class exists now.
from ..models.data_disk import DataDisk
from ..models.image_reference import ImageReference
from ..models.os_disk import OsDisk
from ..models.resource_disk import ResourceDisk
