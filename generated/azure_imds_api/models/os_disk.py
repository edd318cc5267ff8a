# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..models.known_disk_caching import KnownDiskCaching
from ..models.known_os_type import KnownOsType
from ..types import COLLECTIONS

T = TypeVar("T", bound="OsDisk")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class OsDisk(DocumentModel):
    """The operating system disk. Since 2019-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    caching: KnownDiskCaching | str = ABSENT
    """ Host caching of the disk. Since 2019-06-01. """
    create_option: str = ABSENT
    """ How the disk was created, such as FromImage or Attach. Since 2019-06-01. """
    diff_disk_settings: DiffDiskSettings = ABSENT
    """ Whether the OS disk is ephemeral. Since 2019-06-01. """
    disk_size_gb: str = ABSENT
    """ Size in gigabytes, as decimal digits. Since 2019-06-01. """
    encryption_settings: EncryptionSettings = ABSENT
    """ Encryption of the OS disk. Before 2021-11-01 it contains `enabled` only. Since 2019-06-01. """
    image: DiskImage = ABSENT
    """ The custom image of a disk. Since 2019-06-01. """
    managed_disk: ManagedDisk = ABSENT
    """ The managed disk that backs a disk. Since 2019-06-01. """
    name: str = ABSENT
    """ Name of the disk. Since 2019-06-01. """
    os_type: KnownOsType | str = ABSENT
    """ Operating system on the disk. Since 2019-06-01. """
    vhd: Vhd = ABSENT
    """ The virtual hard disk (VHD) file that backs a disk. Since 2019-06-01. """
    write_accelerator_enabled: str = ABSENT
    """ "true" or "false": whether Write Accelerator is enabled. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "caching": ("caching", str),
        "create_option": ("createOption", str),
        "diff_disk_settings": ("diffDiskSettings", "DiffDiskSettings"),
        "disk_size_gb": ("diskSizeGB", str),
        "encryption_settings": ("encryptionSettings", "EncryptionSettings"),
        "image": ("image", "DiskImage"),
        "managed_disk": ("managedDisk", "ManagedDisk"),
        "name": ("name", str),
        "os_type": ("osType", str),
        "vhd": ("vhd", "Vhd"),
        "write_accelerator_enabled": ("writeAcceleratorEnabled", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (caching := d.pop("caching", None)) is not None:
            if type(caching) is not str and isinstance(caching, COLLECTIONS):
                raise TypeError

            self.caching = caching

        if (create_option := d.pop("createOption", None)) is not None:
            if type(create_option) is not str and isinstance(create_option, COLLECTIONS):
                raise TypeError

            self.create_option = create_option

        if (diff_disk_settings := d.pop("diffDiskSettings", None)) is not None:
            diff_disk_settings = DiffDiskSettings._read(diff_disk_settings)

            self.diff_disk_settings = diff_disk_settings

        if (disk_size_gb := d.pop("diskSizeGB", None)) is not None:
            if type(disk_size_gb) is not str and isinstance(disk_size_gb, COLLECTIONS):
                raise TypeError

            self.disk_size_gb = disk_size_gb

        if (encryption_settings := d.pop("encryptionSettings", None)) is not None:
            encryption_settings = EncryptionSettings._read(encryption_settings)

            self.encryption_settings = encryption_settings

        if (image := d.pop("image", None)) is not None:
            image = DiskImage._read(image)

            self.image = image

        if (managed_disk := d.pop("managedDisk", None)) is not None:
            managed_disk = ManagedDisk._read(managed_disk)

            self.managed_disk = managed_disk

        if (name := d.pop("name", None)) is not None:
            if type(name) is not str and isinstance(name, COLLECTIONS):
                raise TypeError

            self.name = name

        if (os_type := d.pop("osType", None)) is not None:
            if type(os_type) is not str and isinstance(os_type, COLLECTIONS):
                raise TypeError

            self.os_type = os_type

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
from ..models.diff_disk_settings import DiffDiskSettings
from ..models.disk_image import DiskImage
from ..models.encryption_settings import EncryptionSettings
from ..models.managed_disk import ManagedDisk
from ..models.vhd import Vhd
