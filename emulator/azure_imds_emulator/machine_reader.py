"""Reads a machine from the section `machine` of a configuration, and makes the ready-made machines."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from . import nodes
from .json_text import MAX_SIZE, parse_json
from .machine import Json, Machine, ManagedIdentity, find_claims_problem, is_array, is_object
from .nodes import Node, NodeReader

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GUID_PROBLEM = "must be a GUID such as 11111111-1111-1111-1111-111111111111"

#: The ready-made machine that is an Azure Arc agent.
ARC = "arc"


@cache
def _load_machines() -> dict[str, Json]:
    text = files("azure_imds_emulator").joinpath("data/machines.json").read_text(encoding="utf-8")
    return dict(parse_json(text))


def list_machine_names() -> list[str]:
    """Returns the names of the ready-made machines."""
    return ["default", *_load_machines()]


def make_machine(name: str) -> Machine:
    """Makes a new machine of a known kind.

    Args:
        name: `default`, `spot`, `two-identities`, `vmss-instance`, `windows`, `confidential`, `gov`, `china`,
            `dual-stack` or `arc`.

    Raises:
        ValueError: there is no machine with this name.
    """
    if name == "default":
        return Machine()
    machines = _load_machines()
    if name not in machines:
        raise ValueError(f"machine must be one of {', '.join(list_machine_names())}, got {name!r}")
    return MachineReader("", None).read_machine(nodes.from_json(machines[name]), Machine())


def choose_machine(name: str) -> dict[str, Json]:
    """Returns the settings that select a ready-made machine: `machine`, and `arc` for an Azure Arc agent.

    Raises:
        ValueError: there is no machine with this name.
    """
    machine = make_machine(name)
    return {"machine": machine, "arc": True} if name == ARC else {"machine": machine}


class MachineReader(NodeReader):
    """Reads a machine.

    Args:
        name: the name of the file in error messages; `""` for a request.
        folder: the folder for relative file names; `None` if no file can be named.
        base: name of the ready-made machine to use instead of that in the text.
    """

    def __init__(self, name: str, folder: Path | None, *, base: str | None = None) -> None:
        super().__init__(name)
        self._folder = folder
        self._base = base

    def read_machine(self, node: Node, current: Machine, *, whole: bool = False) -> Machine:
        """Returns a copy of `current`, changed as the node describes.

        Args:
            whole: whether `instance` is the whole document instead of changes.
        """
        if isinstance(node.value, str):
            node = Node({"base": node}, line=node.line)
        names = [field.name for field in fields(Machine)]
        members = self.read_mapping(node, "machine", ["base", "document", *names, *self._shown_names])
        machine = replace(current)
        if "base" in members and self._base is None:
            machine = self.read_base(members["base"])
        if "document" in members:
            machine.instance = self.read_document(members["document"])
        if "instance" in members:
            instance = members["instance"]
            machine.instance = self.read_whole(instance) if whole else self.merge_instance(machine.instance, instance)
        if "extended" in members:
            self.read_mapping(members["extended"], "extended", None)
            machine.extended = nodes.to_json(members["extended"])
        if "tenant_id" in members:
            machine.tenant_id = self.read_guid(members["tenant_id"], "tenant_id")
        if "system_assigned" in members:
            machine.system_assigned = self.read_system_assigned(members["system_assigned"])
        if "user_assigned" in members:
            machine.user_assigned = []
            for entry in self.read_list(members["user_assigned"], "user_assigned"):
                self.add_user_assigned(entry, machine)
        if "load_balancer" in members:
            machine.load_balancer = self.read_load_balancer(members["load_balancer"])
        if "invalid_resources" in members:
            entries = self.read_list(members["invalid_resources"], "invalid_resources")
            machine.invalid_resources = {self.read_text(entry, "an entry of invalid_resources") for entry in entries}
        if "identities" in members and nodes.to_json(members["identities"]) != machine.to_dict()["identities"]:
            reason = "identities only shows system_assigned and user_assigned: change those, and omit identities"
            self.fail(members["identities"], reason)
        return machine

    @property
    def _shown_names(self) -> list[str]:
        # In the state of an emulator, but not in files.
        return ["identities"] if self._folder is None else []

    def is_arc(self, node: Node) -> bool:
        """Whether the node selects the ready-made machine that is an Azure Arc agent."""
        base = node.value.get("base") if is_object(node.value) else node
        return self._base is None and base is not None and base.value == ARC

    def read_base(self, node: Node) -> Machine:
        try:
            return make_machine(self.read_text(node, "base"))
        except ValueError as error:
            self.fail(node, str(error))

    def read_document(self, node: Node) -> dict[str, Json]:
        """Returns the whole document: the content of a file, or the node itself."""
        if is_object(node.value):
            return self.read_whole(node)
        if self._folder is None:
            self.fail(node, "document: only a configuration file can name a file; send its content as instance")
        path = self._folder / self.read_text(node, "document")
        try:
            text = nodes.read_file(path, MAX_SIZE)
        except ValueError as error:
            self.fail(node, f"document {path}: {error}")
        try:
            document = parse_json(text)
        except ValueError as error:
            self.fail(node, f"document {path}: not JSON: {error}")
        if not is_object(document):
            self.fail(node, f"document {path} must contain a JSON object")
        return document

    def read_whole(self, node: Node) -> dict[str, Json]:
        """Returns a whole document, with scalars as they are."""
        self.read_mapping(node, "instance", None)
        return dict(nodes.to_json(node))

    def merge_instance(self, base: dict[str, Json], node: Node) -> dict[str, Json]:
        """Merges changes into the document: objects member by member, arrays as a whole, scalars as text."""
        for name, member in self.read_mapping(node, "instance", ["compute", "network"]).items():
            self.read_mapping(member, name, None)
        changes = nodes.to_json_as_text(node)
        merged: dict[str, Json] = _merge(base, changes)
        changed, compute = changes.get("compute", {}), merged.get("compute", {})
        if "resourceId" not in changed and {"name", "subscriptionId", "resourceGroupName"} & changed.keys():
            compute["resourceId"] = (
                f"/subscriptions/{compute.get('subscriptionId', '')}/resourceGroups"
                f"/{compute.get('resourceGroupName', '')}/providers/Microsoft.Compute"
                f"/virtualMachines/{compute.get('name', '')}"
            )
        tags = changed.get("tagsList")
        if is_array(tags) and all(is_object(tag) for tag in tags) and "tags" not in changed:
            # IMDS returns the same tags in both members.
            compute["tags"] = ";".join(f"{tag.get('name', '')}:{tag.get('value', '')}" for tag in tags)
        return merged

    def read_system_assigned(self, node: Node) -> ManagedIdentity | None:
        if is_object(node.value):
            members = self.read_mapping(node, "system_assigned", ["client_id", "object_id", "claims"])
            default = _get_default_identity()
            return ManagedIdentity(
                self.read_guid(members["client_id"], "client_id") if "client_id" in members else default.client_id,
                self.read_guid(members["object_id"], "object_id") if "object_id" in members else default.object_id,
                claims=self.read_claims(members["claims"]) if "claims" in members else {},
            )
        return _get_default_identity() if self.read_flag(node, "system_assigned") else None

    def add_user_assigned(self, node: Node, machine: Machine) -> None:
        if not is_object(node.value):
            machine.add_user_assigned(self.read_text(node, "an entry of user_assigned"))
            return
        names = ["name", "client_id", "object_id", "resource_id", "claims"]
        members = self.read_mapping(node, "an entry of user_assigned", names)
        resource_id = self.read_text(members["resource_id"], "resource_id") if "resource_id" in members else None
        if "name" in members:
            name = self.read_text(members["name"], "name")
        elif resource_id is not None:
            name = resource_id.rpartition("/")[2]
        else:
            self.fail(node, "an entry of user_assigned needs a name or a resource_id, for example {name: id-web}")
        machine.add_user_assigned(
            name,
            client_id=self.read_guid(members["client_id"], "client_id") if "client_id" in members else None,
            object_id=self.read_guid(members["object_id"], "object_id") if "object_id" in members else None,
            resource_id=resource_id,
            claims=self.read_claims(members["claims"]) if "claims" in members else {},
        )

    def read_load_balancer(self, node: Node) -> dict[str, Json] | None:
        if node.value is None or node.value is False:
            return None
        members = self.read_mapping(node, "load_balancer", ["publicIpAddresses", "inboundRules", "outboundRules"])
        for name, value in members.items():
            for entry in self.read_list(value, name):
                self.read_mapping(entry, f"an entry of {name}", None)
        return dict(nodes.to_json(node))

    def read_claims(self, node: Node) -> dict[str, Json]:
        value: Json = nodes.to_json(node)
        if problem := find_claims_problem(value):
            self.fail(node, f"claims {problem}")
        return dict(value)

    def read_guid(self, node: Node, what: str) -> str:
        value = self.read_text(node, what)
        if not _GUID.fullmatch(value):
            self.fail(node, f"{what} {_GUID_PROBLEM}, got {value!r}")
        return value


def _get_default_identity() -> ManagedIdentity:
    identity = Machine().system_assigned
    assert identity is not None
    return identity


def _merge(base: Json, change: Json) -> Json:
    if change == nodes.to_json_as_text(nodes.from_json(base)):
        # Also if a recorded document has null or numbers, which changes do not have.
        return base
    if is_object(base) and is_object(change):
        members: dict[str, Json] = dict(base)
        for name, value in change.items():
            members[name] = _merge(members[name], value) if name in members else value
        return members
    return change
