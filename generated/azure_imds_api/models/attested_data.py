# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..documents import ABSENT, NOTHING_LENT, DocumentModel
from ..types import COLLECTIONS

T = TypeVar("T", bound="AttestedData")


@_attrs_define(getstate_setstate=False, eq=False, repr=False)
class AttestedData(DocumentModel):
    """The content of an attested document. Do not trust it before you have verified the signature. On classic machines
    only vmId is certain to be there.

    Absent members read as empty, and `in` tells which ones the document has: see DocumentModel.

    """

    license_type: str = ABSENT
    """ License type under Azure Hybrid Benefit. "" without it. Since 2020-09-01. """
    nonce: str = ABSENT
    """ The nonce of the request. Without one, a UTC time stamp YYYYMMDD-HHMMSS, which has been observed to equal
    expiresOn or createdOn. Do not interpret it. Since 2018-10-01. """
    plan: Plan = ABSENT
    """ Marketplace plan of the image. All fields are "" for other images. Since 2018-04-02, in attested data since
    2018-10-01. """
    sku: str = ABSENT
    """ SKU of the image. "" for custom images. Since 2019-11-01. """
    subscription_id: str = ABSENT
    """ Subscription id of the machine, a GUID. Since 2019-04-30. """
    time_stamp: AttestedTimeStamp = ABSENT
    """ Validity period of the document. Microsoft's tables name the field timestamp, but documents have timeStamp.
    Since 2018-10-01. """
    vm_id: str = ABSENT
    """ Unique id of the machine. Since 2018-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    _MEMBERS: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "license_type": ("licenseType", str),
        "nonce": ("nonce", str),
        "plan": ("plan", "Plan"),
        "sku": ("sku", str),
        "subscription_id": ("subscriptionId", str),
        "time_stamp": ("timeStamp", "AttestedTimeStamp"),
        "vm_id": ("vmId", str),
    }

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        self = cls.__new__(cls)
        if (license_type := d.pop("licenseType", None)) is not None:
            if type(license_type) is not str and isinstance(license_type, COLLECTIONS):
                raise TypeError

            self.license_type = license_type

        if (nonce := d.pop("nonce", None)) is not None:
            if type(nonce) is not str and isinstance(nonce, COLLECTIONS):
                raise TypeError

            self.nonce = nonce

        if (plan := d.pop("plan", None)) is not None:
            plan = Plan._read(plan)

            self.plan = plan

        if (sku := d.pop("sku", None)) is not None:
            if type(sku) is not str and isinstance(sku, COLLECTIONS):
                raise TypeError

            self.sku = sku

        if (subscription_id := d.pop("subscriptionId", None)) is not None:
            if type(subscription_id) is not str and isinstance(subscription_id, COLLECTIONS):
                raise TypeError

            self.subscription_id = subscription_id

        if (time_stamp := d.pop("timeStamp", None)) is not None:
            time_stamp = AttestedTimeStamp._read(time_stamp)

            self.time_stamp = time_stamp

        if (vm_id := d.pop("vmId", None)) is not None:
            if type(vm_id) is not str and isinstance(vm_id, COLLECTIONS):
                raise TypeError

            self.vm_id = vm_id

        self.additional_properties = d
        self._received = src_dict
        self._lent = NOTHING_LENT
        return self


# Imported last, because models may refer to each other: this class exists now.
from ..models.attested_time_stamp import AttestedTimeStamp
from ..models.plan import Plan
