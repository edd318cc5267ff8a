# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Model, Unset

T = TypeVar("T", bound="AttestedData")


@_attrs_define(getstate_setstate=False)
class AttestedData(Model):
    """The content of an attested document. Do not trust it before you have verified the signature. On classic machines
    only vmId is certain to be there.

    """

    license_type: str | Unset = UNSET
    """ License type under Azure Hybrid Benefit. "" without it. Since 2020-09-01. """
    nonce: str | Unset = UNSET
    """ The nonce of the request. Without one, a UTC time stamp YYYYMMDD-HHMMSS, which has been observed to equal
    expiresOn or createdOn. Do not interpret it. Since 2018-10-01. """
    plan: Plan | Unset = UNSET
    """ Marketplace plan of the image. All fields are "" for other images. Since 2018-04-02, in attested data since
    2018-10-01. """
    sku: str | Unset = UNSET
    """ SKU of the image. "" for custom images. Since 2019-11-01. """
    subscription_id: str | Unset = UNSET
    """ Subscription id of the machine, a GUID. Since 2019-04-30. """
    time_stamp: AttestedTimeStamp | Unset = UNSET
    """ Validity period of the document. Microsoft's tables name the field timestamp, but documents have timeStamp.
    Since 2018-10-01. """
    vm_id: str | Unset = UNSET
    """ Unique id of the machine. Since 2018-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        license_type = self.license_type

        nonce = self.nonce

        plan: dict[str, Any] | Unset = UNSET
        if not isinstance(self.plan, Unset):
            plan = self.plan.to_dict()

        sku = self.sku

        subscription_id = self.subscription_id

        time_stamp: dict[str, Any] | Unset = UNSET
        if not isinstance(self.time_stamp, Unset):
            time_stamp = self.time_stamp.to_dict()

        vm_id = self.vm_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if license_type is not UNSET:
            field_dict["licenseType"] = license_type
        if nonce is not UNSET:
            field_dict["nonce"] = nonce
        if plan is not UNSET:
            field_dict["plan"] = plan
        if sku is not UNSET:
            field_dict["sku"] = sku
        if subscription_id is not UNSET:
            field_dict["subscriptionId"] = subscription_id
        if time_stamp is not UNSET:
            field_dict["timeStamp"] = time_stamp
        if vm_id is not UNSET:
            field_dict["vmId"] = vm_id

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        license_type = d.pop("licenseType", UNSET)

        nonce = d.pop("nonce", UNSET)

        _plan = d.pop("plan", UNSET)
        plan: Plan | Unset
        if _plan is UNSET:
            plan = UNSET
        else:
            plan = Plan._read(_plan)

        sku = d.pop("sku", UNSET)

        subscription_id = d.pop("subscriptionId", UNSET)

        _time_stamp = d.pop("timeStamp", UNSET)
        time_stamp: AttestedTimeStamp | Unset
        if _time_stamp is UNSET:
            time_stamp = UNSET
        else:
            time_stamp = AttestedTimeStamp._read(_time_stamp)

        vm_id = d.pop("vmId", UNSET)

        model = cls(
            license_type,
            nonce,
            plan,
            sku,
            subscription_id,
            time_stamp,
            vm_id,
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
from ..models.attested_time_stamp import AttestedTimeStamp
from ..models.plan import Plan
