# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="ImageReference")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class ImageReference(DocumentModel):
    """The image of the machine: id for a custom image, otherwise offer, publisher, sku and version. All fields are "" if
    an existing OS disk was attached. Since 2019-06-01.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    community_gallery_image_id: str = ABSENT
    """ Id of the image in a community gallery. "" for other images. Since 2023-07-01. """
    exact_version: str = ABSENT
    """ The version that was used, for example where version is latest. Often "". Since 2023-07-01. """
    id: str = ABSENT
    """ Azure resource id of a custom image. "" for other images. Since 2019-06-01. """
    offer: str = ABSENT
    """ Offer of a platform or marketplace image. Since 2019-06-01. """
    publisher: str = ABSENT
    """ Publisher of a platform or marketplace image. Since 2019-06-01. """
    shared_gallery_image_id: str = ABSENT
    """ Id of the image in a shared gallery. "" for other images. Since 2023-07-01. """
    sku: str = ABSENT
    """ SKU of a platform or marketplace image. Since 2019-06-01. """
    version: str = ABSENT
    """ Requested version, possibly latest. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "community_gallery_image_id": ("communityGalleryImageId", str),
        "exact_version": ("exactVersion", str),
        "id": ("id", str),
        "offer": ("offer", str),
        "publisher": ("publisher", str),
        "shared_gallery_image_id": ("sharedGalleryImageId", str),
        "sku": ("sku", str),
        "version": ("version", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (community_gallery_image_id := d.pop("communityGalleryImageId", None)) is not None:
            if type(community_gallery_image_id) is not str and isinstance(community_gallery_image_id, COLLECTIONS):
                raise TypeError

            self.community_gallery_image_id = community_gallery_image_id

        if (exact_version := d.pop("exactVersion", None)) is not None:
            if type(exact_version) is not str and isinstance(exact_version, COLLECTIONS):
                raise TypeError

            self.exact_version = exact_version

        if (id := d.pop("id", None)) is not None:
            if type(id) is not str and isinstance(id, COLLECTIONS):
                raise TypeError

            self.id = id

        if (offer := d.pop("offer", None)) is not None:
            if type(offer) is not str and isinstance(offer, COLLECTIONS):
                raise TypeError

            self.offer = offer

        if (publisher := d.pop("publisher", None)) is not None:
            if type(publisher) is not str and isinstance(publisher, COLLECTIONS):
                raise TypeError

            self.publisher = publisher

        if (shared_gallery_image_id := d.pop("sharedGalleryImageId", None)) is not None:
            if type(shared_gallery_image_id) is not str and isinstance(shared_gallery_image_id, COLLECTIONS):
                raise TypeError

            self.shared_gallery_image_id = shared_gallery_image_id

        if (sku := d.pop("sku", None)) is not None:
            if type(sku) is not str and isinstance(sku, COLLECTIONS):
                raise TypeError

            self.sku = sku

        if (version := d.pop("version", None)) is not None:
            if type(version) is not str and isinstance(version, COLLECTIONS):
                raise TypeError

            self.version = version

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self
