# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..models.known_disk_caching import KnownDiskCaching
from ..types import COLLECTIONS

T = TypeVar("T", bound="DataDisk")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class DataDisk(DocumentModel):
    """A data disk. Since 2019-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    bytes_per_second_throttle: str = ABSENT
    """ Throughput limit of an Ultra disk in bytes per second, as decimal digits (up to 64 bits). "" for other
    disks. Since 2021-05-01. """
    caching: KnownDiskCaching | str = ABSENT
    """ Host caching of the disk. Since 2019-06-01. """
    create_option: str = ABSENT
    """ How the disk was created, such as Empty, Attach or FromImage. Since 2019-06-01. """
    disk_capacity_bytes: str = ABSENT
    """ Size of an Ultra disk in bytes, as decimal digits (up to 64 bits). "" for other disks. Since 2021-05-01. """
    disk_size_gb: str = ABSENT
    """ Size in gigabytes, as decimal digits. Since 2019-06-01. """
    image: DiskImage = ABSENT
    """ The custom image of a disk. Since 2019-06-01. """
    is_shared_disk: str = ABSENT
    """ "true" or "false" on Ultra disks: whether several machines share the disk. "" for other disks. Since
    2021-05-01. """
    is_ultra_disk: str = ABSENT
    """ "true" or "false": whether this is an Ultra disk. Since 2021-05-01. """
    lun: str = ABSENT
    """ Logical unit number, as decimal digits. It identifies the disk within the machine. Since 2019-06-01. """
    managed_disk: ManagedDisk = ABSENT
    """ The managed disk that backs a disk. Since 2019-06-01. """
    name: str = ABSENT
    """ Name of the disk. Since 2019-06-01. """
    ops_per_second_throttle: str = ABSENT
    """ Limit of an Ultra disk in operations per second, as decimal digits (up to 64 bits). "" for other disks.
    Since 2021-05-01. """
    vhd: Vhd = ABSENT
    """ The virtual hard disk (VHD) file that backs a disk. Since 2019-06-01. """
    write_accelerator_enabled: str = ABSENT
    """ "true" or "false": whether Write Accelerator is enabled. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "bytes_per_second_throttle": ("bytesPerSecondThrottle", str),
        "caching": ("caching", str),
        "create_option": ("createOption", str),
        "disk_capacity_bytes": ("diskCapacityBytes", str),
        "disk_size_gb": ("diskSizeGB", str),
        "image": ("image", "DiskImage"),
        "is_shared_disk": ("isSharedDisk", str),
        "is_ultra_disk": ("isUltraDisk", str),
        "lun": ("lun", str),
        "managed_disk": ("managedDisk", "ManagedDisk"),
        "name": ("name", str),
        "ops_per_second_throttle": ("opsPerSecondThrottle", str),
        "vhd": ("vhd", "Vhd"),
        "write_accelerator_enabled": ("writeAcceleratorEnabled", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (bytes_per_second_throttle := d.pop("bytesPerSecondThrottle", None)) is not None:
            if type(bytes_per_second_throttle) is not str and isinstance(bytes_per_second_throttle, COLLECTIONS):
                raise TypeError

            self.bytes_per_second_throttle = bytes_per_second_throttle

        if (caching := d.pop("caching", None)) is not None:
            if type(caching) is not str and isinstance(caching, COLLECTIONS):
                raise TypeError

            self.caching = caching

        if (create_option := d.pop("createOption", None)) is not None:
            if type(create_option) is not str and isinstance(create_option, COLLECTIONS):
                raise TypeError

            self.create_option = create_option

        if (disk_capacity_bytes := d.pop("diskCapacityBytes", None)) is not None:
            if type(disk_capacity_bytes) is not str and isinstance(disk_capacity_bytes, COLLECTIONS):
                raise TypeError

            self.disk_capacity_bytes = disk_capacity_bytes

        if (disk_size_gb := d.pop("diskSizeGB", None)) is not None:
            if type(disk_size_gb) is not str and isinstance(disk_size_gb, COLLECTIONS):
                raise TypeError

            self.disk_size_gb = disk_size_gb

        if (image := d.pop("image", None)) is not None:
            image = DiskImage._read(image)

            self.image = image

        if (is_shared_disk := d.pop("isSharedDisk", None)) is not None:
            if type(is_shared_disk) is not str and isinstance(is_shared_disk, COLLECTIONS):
                raise TypeError

            self.is_shared_disk = is_shared_disk

        if (is_ultra_disk := d.pop("isUltraDisk", None)) is not None:
            if type(is_ultra_disk) is not str and isinstance(is_ultra_disk, COLLECTIONS):
                raise TypeError

            self.is_ultra_disk = is_ultra_disk

        if (lun := d.pop("lun", None)) is not None:
            if type(lun) is not str and isinstance(lun, COLLECTIONS):
                raise TypeError

            self.lun = lun

        if (managed_disk := d.pop("managedDisk", None)) is not None:
            managed_disk = ManagedDisk._read(managed_disk)

            self.managed_disk = managed_disk

        if (name := d.pop("name", None)) is not None:
            if type(name) is not str and isinstance(name, COLLECTIONS):
                raise TypeError

            self.name = name

        if (ops_per_second_throttle := d.pop("opsPerSecondThrottle", None)) is not None:
            if type(ops_per_second_throttle) is not str and isinstance(ops_per_second_throttle, COLLECTIONS):
                raise TypeError

            self.ops_per_second_throttle = ops_per_second_throttle

        if (vhd := d.pop("vhd", None)) is not None:
            vhd = Vhd._read(vhd)

            self.vhd = vhd

        if (write_accelerator_enabled := d.pop("writeAcceleratorEnabled", None)) is not None:
            if type(write_accelerator_enabled) is not str and isinstance(write_accelerator_enabled, COLLECTIONS):
                raise TypeError

            self.write_accelerator_enabled = write_accelerator_enabled

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.disk_image import DiskImage
from ..models.managed_disk import ManagedDisk
from ..models.vhd import Vhd
