# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="ImageReference")


@_attrs_define(getstate_setstate=False)
class ImageReference(Model):
    """The image of the machine: id for a custom image, otherwise offer, publisher, sku and version. All fields are "" if
    an existing OS disk was attached. Since 2019-06-01.

    """

    community_gallery_image_id: str | Unset = UNSET
    """ Id of the image in a community gallery. "" for other images. Since 2023-07-01. """
    exact_version: str | Unset = UNSET
    """ The version that was used, for example where version is latest. Often "". Since 2023-07-01. """
    id: str | Unset = UNSET
    """ Azure resource id of a custom image. "" for other images. Since 2019-06-01. """
    offer: str | Unset = UNSET
    """ Offer of a platform or marketplace image. Since 2019-06-01. """
    publisher: str | Unset = UNSET
    """ Publisher of a platform or marketplace image. Since 2019-06-01. """
    shared_gallery_image_id: str | Unset = UNSET
    """ Id of the image in a shared gallery. "" for other images. Since 2023-07-01. """
    sku: str | Unset = UNSET
    """ SKU of a platform or marketplace image. Since 2019-06-01. """
    version: str | Unset = UNSET
    """ Requested version, possibly latest. Since 2019-06-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        community_gallery_image_id = self.community_gallery_image_id

        exact_version = self.exact_version

        id = self.id

        offer = self.offer

        publisher = self.publisher

        shared_gallery_image_id = self.shared_gallery_image_id

        sku = self.sku

        version = self.version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if community_gallery_image_id is not UNSET:
            field_dict["communityGalleryImageId"] = community_gallery_image_id
        if exact_version is not UNSET:
            field_dict["exactVersion"] = exact_version
        if id is not UNSET:
            field_dict["id"] = id
        if offer is not UNSET:
            field_dict["offer"] = offer
        if publisher is not UNSET:
            field_dict["publisher"] = publisher
        if shared_gallery_image_id is not UNSET:
            field_dict["sharedGalleryImageId"] = shared_gallery_image_id
        if sku is not UNSET:
            field_dict["sku"] = sku
        if version is not UNSET:
            field_dict["version"] = version

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        community_gallery_image_id = d.pop("communityGalleryImageId", UNSET)

        exact_version = d.pop("exactVersion", UNSET)

        id = d.pop("id", UNSET)

        offer = d.pop("offer", UNSET)

        publisher = d.pop("publisher", UNSET)

        shared_gallery_image_id = d.pop("sharedGalleryImageId", UNSET)

        sku = d.pop("sku", UNSET)

        version = d.pop("version", UNSET)

        model = cls(
            community_gallery_image_id,
            exact_version,
            id,
            offer,
            publisher,
            shared_gallery_image_id,
            sku,
            version,
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
