# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_disk_caching import KnownDiskCaching
from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="DataDisk")


@_attrs_define(getstate_setstate=False)
class DataDisk(Model):
    """A data disk. Since 2019-06-01."""

    bytes_per_second_throttle: str | Unset = UNSET
    """ Throughput limit of an Ultra disk in bytes per second, as decimal digits (up to 64 bits). "" for other
    disks. Since 2021-05-01. """
    caching: KnownDiskCaching | str | Unset = UNSET
    """ Host caching of the disk. Since 2019-06-01. """
    create_option: str | Unset = UNSET
    """ How the disk was created, such as Empty, Attach or FromImage. Since 2019-06-01. """
    disk_capacity_bytes: str | Unset = UNSET
    """ Size of an Ultra disk in bytes, as decimal digits (up to 64 bits). "" for other disks. Since 2021-05-01. """
    disk_size_gb: str | Unset = UNSET
    """ Size in gigabytes, as decimal digits. Since 2019-06-01. """
    image: DiskImage | Unset = UNSET
    """ The custom image of a disk. Since 2019-06-01. """
    is_shared_disk: str | Unset = UNSET
    """ "true" or "false" on Ultra disks: whether several machines share the disk. "" for other disks. Since
    2021-05-01. """
    is_ultra_disk: str | Unset = UNSET
    """ "true" or "false": whether this is an Ultra disk. Since 2021-05-01. """
    lun: str | Unset = UNSET
    """ Logical unit number, as decimal digits. It identifies the disk within the machine. Since 2019-06-01. """
    managed_disk: ManagedDisk | Unset = UNSET
    """ The managed disk that backs a disk. Since 2019-06-01. """
    name: str | Unset = UNSET
    """ Name of the disk. Since 2019-06-01. """
    ops_per_second_throttle: str | Unset = UNSET
    """ Limit of an Ultra disk in operations per second, as decimal digits (up to 64 bits). "" for other disks.
    Since 2021-05-01. """
    vhd: Vhd | Unset = UNSET
    """ The virtual hard disk (VHD) file that backs a disk. Since 2019-06-01. """
    write_accelerator_enabled: str | Unset = UNSET
    """ "true" or "false": whether Write Accelerator is enabled. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        bytes_per_second_throttle = self.bytes_per_second_throttle

        caching: str | Unset
        if isinstance(self.caching, Unset):
            caching = UNSET
        elif isinstance(self.caching, str):
            caching = self.caching
        else:
            caching = self.caching

        create_option = self.create_option

        disk_capacity_bytes = self.disk_capacity_bytes

        disk_size_gb = self.disk_size_gb

        image: dict[str, Any] | Unset = UNSET
        if not isinstance(self.image, Unset):
            image = self.image.to_dict()

        is_shared_disk = self.is_shared_disk

        is_ultra_disk = self.is_ultra_disk

        lun = self.lun

        managed_disk: dict[str, Any] | Unset = UNSET
        if not isinstance(self.managed_disk, Unset):
            managed_disk = self.managed_disk.to_dict()

        name = self.name

        ops_per_second_throttle = self.ops_per_second_throttle

        vhd: dict[str, Any] | Unset = UNSET
        if not isinstance(self.vhd, Unset):
            vhd = self.vhd.to_dict()

        write_accelerator_enabled = self.write_accelerator_enabled

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if bytes_per_second_throttle is not UNSET:
            field_dict["bytesPerSecondThrottle"] = bytes_per_second_throttle
        if caching is not UNSET:
            field_dict["caching"] = caching
        if create_option is not UNSET:
            field_dict["createOption"] = create_option
        if disk_capacity_bytes is not UNSET:
            field_dict["diskCapacityBytes"] = disk_capacity_bytes
        if disk_size_gb is not UNSET:
            field_dict["diskSizeGB"] = disk_size_gb
        if image is not UNSET:
            field_dict["image"] = image
        if is_shared_disk is not UNSET:
            field_dict["isSharedDisk"] = is_shared_disk
        if is_ultra_disk is not UNSET:
            field_dict["isUltraDisk"] = is_ultra_disk
        if lun is not UNSET:
            field_dict["lun"] = lun
        if managed_disk is not UNSET:
            field_dict["managedDisk"] = managed_disk
        if name is not UNSET:
            field_dict["name"] = name
        if ops_per_second_throttle is not UNSET:
            field_dict["opsPerSecondThrottle"] = ops_per_second_throttle
        if vhd is not UNSET:
            field_dict["vhd"] = vhd
        if write_accelerator_enabled is not UNSET:
            field_dict["writeAcceleratorEnabled"] = write_accelerator_enabled

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        bytes_per_second_throttle = d.pop("bytesPerSecondThrottle", UNSET)

        caching = d.pop("caching", UNSET)

        create_option = d.pop("createOption", UNSET)

        disk_capacity_bytes = d.pop("diskCapacityBytes", UNSET)

        disk_size_gb = d.pop("diskSizeGB", UNSET)

        _image = d.pop("image", UNSET)
        image: DiskImage | Unset
        if _image is UNSET:
            image = UNSET
        else:
            image = DiskImage._read(_image)

        is_shared_disk = d.pop("isSharedDisk", UNSET)

        is_ultra_disk = d.pop("isUltraDisk", UNSET)

        lun = d.pop("lun", UNSET)

        _managed_disk = d.pop("managedDisk", UNSET)
        managed_disk: ManagedDisk | Unset
        if _managed_disk is UNSET:
            managed_disk = UNSET
        else:
            managed_disk = ManagedDisk._read(_managed_disk)

        name = d.pop("name", UNSET)

        ops_per_second_throttle = d.pop("opsPerSecondThrottle", UNSET)

        _vhd = d.pop("vhd", UNSET)
        vhd: Vhd | Unset
        if _vhd is UNSET:
            vhd = UNSET
        else:
            vhd = Vhd._read(_vhd)

        write_accelerator_enabled = d.pop("writeAcceleratorEnabled", UNSET)

        model = cls(
            bytes_per_second_throttle,
            caching,
            create_option,
            disk_capacity_bytes,
            disk_size_gb,
            image,
            is_shared_disk,
            is_ultra_disk,
            lun,
            managed_disk,
            name,
            ops_per_second_throttle,
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
from ..models.disk_image import DiskImage
from ..models.managed_disk import ManagedDisk
from ..models.vhd import Vhd
