# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import Model

T = TypeVar("T", bound="LoadBalancerResponse")


@_attrs_define(getstate_setstate=False)
class LoadBalancerResponse(Model):
    """Load balancer metadata of this machine."""

    loadbalancer: LoadBalancer
    """ Public addresses and rules. Since 2020-10-01. """
    additional_properties: dict[str, Any] = _attrs_field(factory=dict)

    def to_dict(self) -> dict[str, Any]:
        loadbalancer = self.loadbalancer.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "loadbalancer": loadbalancer,
            }
        )

        return self._with_unread(field_dict)

    @classmethod
    def _read(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = {**src_dict}
        loadbalancer = LoadBalancer._read(d.pop("loadbalancer"))

        model = cls(
            loadbalancer,
            d,
        )
        model._received = src_dict
        return model


# Imported last, because models may refer to each other: this class exists now.
from ..models.load_balancer import LoadBalancer
