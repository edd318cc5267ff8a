"""What the emulated machine is: its metadata, identities and load balancer."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, TypeGuard

Json = Any
"""A JSON value as :mod:`json` reads it."""


def is_object(value: Json) -> TypeGuard[dict[str, Json]]:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: Json) -> TypeGuard[list[Json]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


DEFAULT_TENANT_ID = "00000000-0000-0000-0000-000000000002"
_DEFAULT_CLIENT_ID = "00000000-0000-0000-0000-000000000003"
_DEFAULT_OBJECT_ID = "00000000-0000-0000-0000-000000000004"

#: Domain under which a cloud's attested documents are signed.
ATTESTED_DOMAINS: Mapping[str, str] = {
    "azurepubliccloud": "metadata.azure.com",
    "azureusgovernmentcloud": "metadata.azure.us",
    "azurechinacloud": "metadata.azure.cn",
    "azuregermancloud": "metadata.microsoftazure.de",
}


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """A managed identity that the machine carries.

    Attributes:
        client_id: the application id, a GUID; becomes the claim `appid`.
        object_id: the principal id, a GUID; becomes the claims `oid` and `sub`.
        resource_id: the ARM id; `None` for the system-assigned identity, whose id is the machine's own.
    """

    client_id: str
    object_id: str
    resource_id: str | None = None


@cache
def _defaults() -> dict[str, Json]:
    text = files("azure_imds_emulator").joinpath("data/machine.json").read_text(encoding="utf-8")
    loaded: dict[str, Json] = json.loads(text)
    return loaded


def default_instance() -> dict[str, Json]:
    """A fresh copy of the default machine's metadata, at the newest api-version, with made-up values."""
    fresh: dict[str, Json] = copy.deepcopy(_defaults()["instance"])
    return fresh


def default_extended() -> dict[str, Json]:
    """A fresh copy of the member `extended` that provisioning agents ask for."""
    fresh: dict[str, Json] = copy.deepcopy(_defaults()["extended"])
    return fresh


def default_load_balancer() -> dict[str, Json]:
    """A fresh copy of the default load balancer: one public pair, rules for IPv4 and IPv6."""
    fresh: dict[str, Json] = copy.deepcopy(_defaults()["loadbalancer"])
    return fresh


@dataclass(slots=True)
class Machine:
    """The emulated virtual machine. Change it while the emulator runs; the next request sees the change.

    Attributes:
        instance: the document of `/metadata/instance` at the newest api-version, members `compute` and
            `network`. Older versions are cut out of it. Scalars are strings, as the service has them.
        extended: what `extended=true` adds.
        tenant_id: the tenant of the machine's identities, a GUID.
        system_assigned: the system-assigned identity, or `None`.
        user_assigned: the user-assigned identities, in any number.
        load_balancer: `publicIpAddresses`, `inboundRules`, `outboundRules`; `None` for a machine behind none.
        invalid_resources: audiences that the tenant does not know, answered with `invalid_resource`.
    """

    instance: dict[str, Json] = field(default_factory=default_instance)
    extended: dict[str, Json] = field(default_factory=default_extended)
    tenant_id: str = DEFAULT_TENANT_ID
    system_assigned: ManagedIdentity | None = field(
        default_factory=lambda: ManagedIdentity(_DEFAULT_CLIENT_ID, _DEFAULT_OBJECT_ID)
    )
    user_assigned: list[ManagedIdentity] = field(default_factory=list[ManagedIdentity])
    load_balancer: dict[str, Json] | None = field(default_factory=default_load_balancer)
    invalid_resources: set[str] = field(default_factory=set[str])

    @property
    def compute(self) -> dict[str, Json]:
        """The member `compute` of the metadata; empty for a classic machine."""
        compute: dict[str, Json] = self.instance.get("compute", {})
        return compute

    @property
    def name(self) -> str:
        """The machine's name, by which scheduled events call it."""
        return str(self.compute.get("name", ""))

    @property
    def resource_id(self) -> str:
        """The ARM id of the machine."""
        stated = self.compute.get("resourceId")
        return str(stated) if stated else self._arm_id("Microsoft.Compute/virtualMachines", self.name)

    @property
    def attested_domain(self) -> str:
        """The domain that certificates for attested documents carry in this machine's cloud."""
        cloud = str(self.compute.get("azEnvironment", "")).lower()
        return ATTESTED_DOMAINS.get(cloud, ATTESTED_DOMAINS["azurepubliccloud"])

    def add_user_assigned(
        self, name: str, *, client_id: str | None = None, object_id: str | None = None, resource_id: str | None = None
    ) -> ManagedIdentity:
        """Attach a user-assigned identity of that name; ids not given are made from the name, always the same."""
        identity = ManagedIdentity(
            client_id or _guid(f"client:{name}"),
            object_id or _guid(f"object:{name}"),
            resource_id or self._arm_id("Microsoft.ManagedIdentity/userAssignedIdentities", name),
        )
        self.user_assigned.append(identity)
        return identity

    def _arm_id(self, kind: str, name: str) -> str:
        subscription = self.compute.get("subscriptionId", "00000000-0000-0000-0000-000000000001")
        group = self.compute.get("resourceGroupName", "rg-example")
        return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


def _guid(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"azure-imds-emulator:{text}"))
