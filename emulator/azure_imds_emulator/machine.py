"""The emulated machine: its metadata, identities and load balancer."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files
from typing import Any, TypeGuard

Json = Any
"""A JSON value, as :mod:`json` reads it."""


def is_object(value: Json) -> TypeGuard[dict[str, Json]]:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: Json) -> TypeGuard[list[Json]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


DEFAULT_TENANT_ID = "00000000-0000-0000-0000-000000000002"
_DEFAULT_CLIENT_ID = "00000000-0000-0000-0000-000000000003"
_DEFAULT_OBJECT_ID = "00000000-0000-0000-0000-000000000004"

#: The domain in the certificates of each cloud's attested documents, by `azEnvironment` in lower case.
ATTESTED_DOMAINS: Mapping[str, str] = {
    "azurepubliccloud": "metadata.azure.com",
    "azureusgovernmentcloud": "metadata.azure.us",
    "azurechinacloud": "metadata.azure.cn",
    "azuregermancloud": "metadata.microsoftazure.de",
}


#: The issuer of each cloud's tokens, by `azEnvironment` in lower case. For other clouds, that of the public cloud.
TOKEN_AUTHORITIES: Mapping[str, str] = {"azurechinacloud": "https://sts.chinacloudapi.cn"}


#: What determines these claims instead.
_FIXED_CLAIMS: Mapping[str, str] = {
    "aud": "the resource of the request",
    "exp": "token_lifetime",
    "iat": "the clock",
    "nbf": "the clock",
    "iss": "issuer",
    "tid": "tenant_id",
    "appid": "client_id",
    "oid": "object_id",
    "sub": "object_id",
}


def find_claims_problem(claims: Json) -> str:
    """Returns what is wrong with additional claims, for a message that starts with `claims`; `""` if valid."""
    if not is_object(claims) or not all(isinstance(name, str) for name in claims):
        return f"must be a mapping of names to values, for example {{'roles': ['Orders.Read']}}, got {claims!r}"
    if fixed := sorted(claims.keys() & _FIXED_CLAIMS.keys()):
        return f"cannot contain {fixed[0]!r}: {_FIXED_CLAIMS[fixed[0]]} determines it"
    try:
        json.dumps(claims, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        return f"must be JSON: {error}"
    return ""


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """A managed identity of the machine.

    Attributes:
        client_id: the application id, a GUID. It is the claim `appid` of a token.
        object_id: the principal id, a GUID. It is the claims `oid` and `sub` of a token.
        resource_id: the ARM id. `None` for the system-assigned identity, which has the id of the machine.
        claims: more claims of its tokens, such as `roles` and `groups`, or other values of claims such as `appidacr`.

    Raises:
        ValueError: `claims` contains a claim that follows from the request, the machine or another attribute.
    """

    client_id: str
    object_id: str
    resource_id: str | None = None
    claims: dict[str, Json] = field(default_factory=dict[str, Json], hash=False)

    def __post_init__(self) -> None:
        if problem := find_claims_problem(self.claims):
            raise ValueError(f"claims {problem}")

    @property
    def name(self) -> str:
        """The name in the ARM id, or `system-assigned`."""
        return (self.resource_id or "system-assigned").rpartition("/")[2]


@cache
def _load_defaults() -> dict[str, Json]:
    text = files("azure_imds_emulator").joinpath("data/machine.json").read_text(encoding="utf-8")
    loaded: dict[str, Json] = json.loads(text)
    return loaded


def copy_default_instance() -> dict[str, Json]:
    """Returns a new copy of the default machine's metadata, in the newest api-version. The values are invented."""
    instance: dict[str, Json] = copy.deepcopy(_load_defaults()["instance"])
    return instance


def copy_default_extended() -> dict[str, Json]:
    """Returns a new copy of the member `extended`, which provisioning agents request."""
    extended: dict[str, Json] = copy.deepcopy(_load_defaults()["extended"])
    return extended


def copy_default_load_balancer() -> dict[str, Json]:
    """Returns a new copy of the default load balancer: one public address, rules for IPv4 and IPv6."""
    load_balancer: dict[str, Json] = copy.deepcopy(_load_defaults()["loadbalancer"])
    return load_balancer


@dataclass(slots=True)
class Machine:
    """The emulated virtual machine. Change it while the emulator runs: the next request sees the change.

    Attributes:
        instance: the document of `/metadata/instance` in the newest api-version, with the members `compute` and
            `network`. Older api-versions return a part of it. Scalars are strings, as IMDS returns them.
        extended: the member `extended`, which `extended=true` adds.
        tenant_id: the tenant of the machine's identities, a GUID.
        system_assigned: the system-assigned identity, or `None`.
        user_assigned: the user-assigned identities.
        load_balancer: `publicIpAddresses`, `inboundRules` and `outboundRules`; `None` for a machine without a load
            balancer.
        invalid_resources: resources that the tenant does not know. Token requests for them get `invalid_resource`.
    """

    instance: dict[str, Json] = field(default_factory=copy_default_instance)
    extended: dict[str, Json] = field(default_factory=copy_default_extended)
    tenant_id: str = DEFAULT_TENANT_ID
    system_assigned: ManagedIdentity | None = field(
        default_factory=lambda: ManagedIdentity(_DEFAULT_CLIENT_ID, _DEFAULT_OBJECT_ID)
    )
    user_assigned: list[ManagedIdentity] = field(default_factory=list[ManagedIdentity])
    load_balancer: dict[str, Json] | None = field(default_factory=copy_default_load_balancer)
    invalid_resources: set[str] = field(default_factory=set[str])

    @property
    def compute(self) -> dict[str, Json]:
        """The member `compute` of the metadata; empty for a classic machine."""
        compute = self.instance.get("compute")
        return compute if is_object(compute) else {}

    @property
    def name(self) -> str:
        """The name of the machine, which scheduled events list as the affected resource."""
        return str(self.compute.get("name", ""))

    @property
    def is_confidential(self) -> bool:
        """Whether this is a confidential virtual machine."""
        profile = self.compute.get("securityProfile")
        return is_object(profile) and profile.get("securityType") == "ConfidentialVM"

    @property
    def resource_id(self) -> str:
        """The ARM id of the machine."""
        resource_id = self.compute.get("resourceId")
        return str(resource_id) if resource_id else self._make_arm_id("Microsoft.Compute/virtualMachines", self.name)

    @property
    def attested_domain(self) -> str:
        """The domain in the certificates of attested documents of this machine's cloud."""
        cloud = str(self.compute.get("azEnvironment", "")).lower()
        return ATTESTED_DOMAINS.get(cloud, ATTESTED_DOMAINS["azurepubliccloud"])

    @property
    def token_authority(self) -> str:
        """The start of the issuer in tokens of this machine's cloud."""
        cloud = str(self.compute.get("azEnvironment", "")).lower()
        return TOKEN_AUTHORITIES.get(cloud, "https://sts.windows.net")

    @property
    def identities(self) -> list[ManagedIdentity]:
        """All identities. The system-assigned one is the first."""
        return [*([self.system_assigned] if self.system_assigned else []), *self.user_assigned]

    def become(self, other: Machine) -> None:
        """Takes over all attributes of another machine."""
        for attribute in fields(self):
            setattr(self, attribute.name, getattr(other, attribute.name))

    def to_dict(self) -> dict[str, Json]:
        """Returns the machine in JSON, in the form of the section `machine` of a configuration file.

        The additional member `identities` lists all identities in one form.
        """
        own = self.system_assigned
        return {
            "instance": self.instance,
            "extended": self.extended,
            "tenant_id": self.tenant_id,
            "system_assigned": _describe_identity(own) if own else False,
            "user_assigned": [_describe_identity(identity) for identity in self.user_assigned],
            "load_balancer": self.load_balancer,
            "invalid_resources": sorted(self.invalid_resources),
            "identities": [
                {
                    "kind": "system-assigned" if identity is own else "user-assigned",
                    "client_id": identity.client_id,
                    "object_id": identity.object_id,
                    "resource_id": identity.resource_id or self.resource_id,
                }
                for identity in self.identities
            ],
        }

    def add_user_assigned(
        self,
        name: str,
        *,
        client_id: str | None = None,
        object_id: str | None = None,
        resource_id: str | None = None,
        claims: dict[str, Json] | None = None,
    ) -> ManagedIdentity:
        """Adds a user-assigned identity and returns it.

        Args:
            name: the name of the identity. The default ids are derived from it, so they are the same in each run.
            client_id: the application id, a GUID.
            object_id: the principal id, a GUID.
            resource_id: the ARM id.
            claims: more claims of its tokens, such as `roles`.
        """
        identity = ManagedIdentity(
            client_id or _make_guid(f"client:{name}"),
            object_id or _make_guid(f"object:{name}"),
            resource_id or self._make_arm_id("Microsoft.ManagedIdentity/userAssignedIdentities", name),
            claims or {},
        )
        self.user_assigned.append(identity)
        return identity

    def _make_arm_id(self, kind: str, name: str) -> str:
        subscription = self.compute.get("subscriptionId", "00000000-0000-0000-0000-000000000001")
        group = self.compute.get("resourceGroupName", "rg-example")
        return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


def _describe_identity(identity: ManagedIdentity) -> dict[str, Json]:
    members = {field.name: getattr(identity, field.name) for field in fields(identity)}
    # The system-assigned identity has no id of its own, and most identities have no more claims.
    return {name: value for name, value in members.items() if value is not None and value != {}}


def _make_guid(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"azure-imds-emulator:{text}"))
