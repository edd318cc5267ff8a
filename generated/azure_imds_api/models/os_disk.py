# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_disk_caching import KnownDiskCaching
from ..models.known_os_type import KnownOsType
from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="OsDisk")


@_attrs_define(getstate_setstate=False)
class OsDisk(Model):
    """The operating system disk. Since 2019-06-01."""

    caching: KnownDiskCaching | str | Unset = UNSET
    """ Host caching of the disk. Since 2019-06-01. """
    create_option: str | Unset = UNSET
    """ How the disk was created, such as FromImage or Attach. Since 2019-06-01. """
    diff_disk_settings: DiffDiskSettings | Unset = UNSET
    """ Whether the OS disk is ephemeral. Since 2019-06-01. """
    disk_size_gb: str | Unset = UNSET
    """ Size in gigabytes, as decimal digits. Since 2019-06-01. """
    encryption_settings: EncryptionSettings | Unset = UNSET
    """ Encryption of the OS disk. Before 2021-11-01 it contains `enabled` only. Since 2019-06-01. """
    image: DiskImage | Unset = UNSET
    """ The custom image of a disk. Since 2019-06-01. """
    managed_disk: ManagedDisk | Unset = UNSET
    """ The managed disk that backs a disk. Since 2019-06-01. """
    name: str | Unset = UNSET
    """ Name of the disk. Since 2019-06-01. """
    os_type: KnownOsType | str | Unset = UNSET
    """ Operating system on the disk. Since 2019-06-01. """
    vhd: Vhd | Unset = UNSET
    """ The virtual hard disk (VHD) file that backs a disk. Since 2019-06-01. """
    write_accelerator_enabled: str | Unset = UNSET
    """ "true" or "false": whether Write Accelerator is enabled. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        caching: str | Unset
        if isinstance(self.caching, Unset):
            caching = UNSET
        elif isinstance(self.caching, str):
            caching = self.caching
        else:
            caching = self.caching

        create_option = self.create_option

        diff_disk_settings: dict[str, Any] | Unset = UNSET
        if not isinstance(self.diff_disk_settings, Unset):
            diff_disk_settings = self.diff_disk_settings.to_dict()

        disk_size_gb = self.disk_size_gb

        encryption_settings: dict[str, Any] | Unset = UNSET
        if not isinstance(self.encryption_settings, Unset):
            encryption_settings = self.encryption_settings.to_dict()

        image: dict[str, Any] | Unset = UNSET
        if not isinstance(self.image, Unset):
            image = self.image.to_dict()

        managed_disk: dict[str, Any] | Unset = UNSET
        if not isinstance(self.managed_disk, Unset):
            managed_disk = self.managed_disk.to_dict()

        name = self.name

        os_type: str | Unset
        if isinstance(self.os_type, Unset):
            os_type = UNSET
        elif isinstance(self.os_type, str):
            os_type = self.os_type
        else:
            os_type = self.os_type

        vhd: dict[str, Any] | Unset = UNSET
        if not isinstance(self.vhd, Unset):
            vhd = self.vhd.to_dict()

        write_accelerator_enabled = self.write_accelerator_enabled

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if caching is not UNSET:
            field_dict["caching"] = caching
        if create_option is not UNSET:
            field_dict["createOption"] = create_option
        if diff_disk_settings is not UNSET:
            field_dict["diffDiskSettings"] = diff_disk_settings
        if disk_size_gb is not UNSET:
            field_dict["diskSizeGB"] = disk_size_gb
        if encryption_settings is not UNSET:
            field_dict["encryptionSettings"] = encryption_settings
        if image is not UNSET:
            field_dict["image"] = image
        if managed_disk is not UNSET:
            field_dict["managedDisk"] = managed_disk
        if name is not UNSET:
            field_dict["name"] = name
        if os_type is not UNSET:
            field_dict["osType"] = os_type
        if vhd is not UNSET:
            field_dict["vhd"] = vhd
        if write_accelerator_enabled is not UNSET:
            field_dict["writeAcceleratorEnabled"] = write_accelerator_enabled

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        caching = d.pop("caching", UNSET)

        create_option = d.pop("createOption", UNSET)

        _diff_disk_settings = d.pop("diffDiskSettings", UNSET)
        diff_disk_settings: DiffDiskSettings | Unset
        if _diff_disk_settings is UNSET:
            diff_disk_settings = UNSET
        else:
            diff_disk_settings = DiffDiskSettings._read(_diff_disk_settings)

        disk_size_gb = d.pop("diskSizeGB", UNSET)

        _encryption_settings = d.pop("encryptionSettings", UNSET)
        encryption_settings: EncryptionSettings | Unset
        if _encryption_settings is UNSET:
            encryption_settings = UNSET
        else:
            encryption_settings = EncryptionSettings._read(_encryption_settings)

        _image = d.pop("image", UNSET)
        image: DiskImage | Unset
        if _image is UNSET:
            image = UNSET
        else:
            image = DiskImage._read(_image)

        _managed_disk = d.pop("managedDisk", UNSET)
        managed_disk: ManagedDisk | Unset
        if _managed_disk is UNSET:
            managed_disk = UNSET
        else:
            managed_disk = ManagedDisk._read(_managed_disk)

        name = d.pop("name", UNSET)

        os_type = d.pop("osType", UNSET)

        _vhd = d.pop("vhd", UNSET)
        vhd: Vhd | Unset
        if _vhd is UNSET:
            vhd = UNSET
        else:
            vhd = Vhd._read(_vhd)

        write_accelerator_enabled = d.pop("writeAcceleratorEnabled", UNSET)

        model = cls(
            caching,
            create_option,
            diff_disk_settings,
            disk_size_gb,
            encryption_settings,
            image,
            managed_disk,
            name,
            os_type,
            vhd,
            write_accelerator_enabled,
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
from ..models.diff_disk_settings import DiffDiskSettings
from ..models.disk_image import DiskImage
from ..models.encryption_settings import EncryptionSettings
from ..models.managed_disk import ManagedDisk
from ..models.vhd import Vhd
