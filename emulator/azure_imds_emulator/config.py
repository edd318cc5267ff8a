"""Settings from a YAML or JSON file and from environment variables. Errors contain the line and the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from inspect import signature
from pathlib import Path
from typing import Any

from . import nodes
from .clock import Clock
from .events import EventSchedule
from .faults import FaultQueue
from .json_text import MAX_SIZE, parse_json
from .machine import Json, Machine, ManagedIdentity, is_array, is_object
from .nodes import ConfigError, Node, NodeReader
from .settings import Settings, find_problem

ENVIRONMENT_PREFIX = "AZURE_IMDS_EMULATOR_"

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GUID_PROBLEM = "must be a GUID such as 11111111-1111-1111-1111-111111111111"
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")

#: The settings that have one value, by type.
_FLAGS = ("arc", "arc_echo", "rate_limits", "accept_mi_res_id")
_INTEGERS = ("port", "control_port", "token_lifetime", "max_recorded_requests")
_NUMBERS = ("first_call_delay",)
_TEXTS = ("host", "server", "arc_token_dir", "attested_digest_oid")


def load(path: str | Path, base: Settings | None = None) -> Settings:
    """Reads a YAML or JSON configuration file. The file extension does not matter.

    Args:
        path: the file.
        base: the settings for everything that the file does not set.

    Raises:
        ConfigError: the file cannot be read or is not valid.
    """
    path = Path(path)
    try:
        text = nodes.read_file(path, nodes.MAX_SIZE)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    return parse(text, str(path), base, folder=path.parent)


def parse(text: str, name: str, base: Settings | None = None, *, folder: Path | None = None) -> Settings:
    """Reads a configuration from text.

    Args:
        name: the name of the file in error messages.
        base: the settings for everything that the text does not set.
        folder: the folder for relative file names. Default: the current folder.

    Raises:
        ConfigError: the text is not valid.
    """
    node = nodes.compose(text, name)
    if node is None:
        return base or Settings()
    return _Reader(name, folder or Path()).read_settings(node, base or Settings())


def change_machine(machine: Machine, text: str | bytes) -> None:
    """Changes a machine as the section `machine` of a configuration file does.

    Args:
        text: the content of the section, in JSON. It cannot name a document: requests make the emulator read no file.

    Raises:
        ConfigError: the text is not valid. The machine does not change.
    """
    try:
        value = parse_json(text)
    except ValueError as error:
        raise ConfigError(f"the body is not JSON: {error}") from None
    changed = _Reader("", None).read_machine(nodes.from_json(value), machine)
    for field in fields(machine):
        setattr(machine, field.name, getattr(changed, field.name))


def from_environment(environment: Mapping[str, str], base: Settings | None = None) -> Settings:
    """Reads the settings that have one value from variables such as `AZURE_IMDS_EMULATOR_PORT`.

    Raises:
        ConfigError: the value of a variable is not valid. The message starts with the name of the variable.
    """
    values: dict[str, Any] = {}
    for name in (*_FLAGS, *_INTEGERS, *_NUMBERS, *_TEXTS):
        variable = ENVIRONMENT_PREFIX + name.upper()
        text = environment.get(variable, "").strip()
        if text:
            try:
                values[name] = _parse_variable(name, text)
            except ValueError as error:
                raise ConfigError(f"{variable}: {error}") from error
    return replace(base or Settings(), **values)


def _parse_variable(name: str, text: str) -> object:
    if name in _FLAGS:
        if text.lower() not in (*_TRUE, *_FALSE):
            raise ValueError(f"must be true or false, got {text!r}")
        return text.lower() in _TRUE
    value: object = text
    if name in _INTEGERS or name in _NUMBERS:
        try:
            value = int(text) if name in _INTEGERS else float(text)
        except ValueError:
            kind = "a whole number" if name in _INTEGERS else "a number"
            raise ValueError(f"must be {kind}, got {text!r}") from None
    if problem := find_problem(name, value):
        raise ValueError(problem)
    return value


class _Reader(NodeReader):
    """Reads the settings and the machine.

    Args:
        folder: the folder for relative file names; `None` if no file can be named.
    """

    def __init__(self, name: str, folder: Path | None) -> None:
        super().__init__(name)
        self._folder = folder

    def read_settings(self, node: Node, base: Settings) -> Settings:
        members = self.read_mapping(node, "the configuration", [field.name for field in fields(Settings)])
        values: dict[str, Any] = {}
        for name, value in members.items():
            if name in _FLAGS:
                values[name] = self.read_flag(value, name)
            elif name in _INTEGERS or name in _NUMBERS:
                values[name] = self.read_number(value, name, integer=name in _INTEGERS)
            elif name in _TEXTS:
                values[name] = self.read_text(value, name)
            else:
                continue
            if problem := find_problem(name, values[name]):
                self.fail(value, f"{name} {problem}")
            if name == "arc_token_dir" and self._folder:
                values[name] = str(self._folder / values[name])
        if "machine" in members:
            values["machine"] = self.read_machine(members["machine"], base.machine)
        if "events" in members:
            schedule = EventSchedule(values.get("machine", base.machine), Clock()).schedule
            values["events"] = self.read_calls(members["events"], "events", schedule)
        if "faults" in members:
            values["faults"] = self.read_calls(members["faults"], "faults", FaultQueue(Clock()).fail)
        return replace(base, **values)

    def read_calls(self, node: Node, what: str, function: Callable[..., object]) -> list[dict[str, Json]]:
        """Reads a list of keyword arguments. Calls the function with each, because it checks them best."""
        calls: list[dict[str, Json]] = []
        for entry in self.read_list(node, what):
            self.read_mapping(entry, f"an entry of {what}", list(signature(function).parameters))
            arguments: dict[str, Json] = nodes.to_json(entry)
            try:
                # Names a missing argument, but not the function, whose name is not in the file.
                signature(function).bind(**arguments)
                function(**arguments)
            except (TypeError, ValueError) as error:
                self.fail(entry, f"an entry of {what}: {error}")
            calls.append(arguments)
        return calls

    def read_machine(self, node: Node, base: Machine) -> Machine:
        names = [field.name for field in fields(Machine)]
        members = self.read_mapping(node, "machine", ["document", *names])
        machine = replace(base)
        if "document" in members:
            if self._folder is None:
                reason = "document: only a configuration file can name a file; send its content as instance"
                self.fail(members["document"], reason)
            machine.instance = self.read_document(members["document"], self._folder)
        if "instance" in members:
            machine.instance = self.merge_instance(machine.instance, members["instance"])
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
        return machine

    def read_document(self, node: Node, folder: Path) -> dict[str, Json]:
        path = folder / self.read_text(node, "document")
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
            members = self.read_mapping(node, "system_assigned", ["client_id", "object_id"])
            default = _get_default_identity()
            return ManagedIdentity(
                self.read_guid(members["client_id"], "client_id") if "client_id" in members else default.client_id,
                self.read_guid(members["object_id"], "object_id") if "object_id" in members else default.object_id,
            )
        return _get_default_identity() if self.read_flag(node, "system_assigned") else None

    def add_user_assigned(self, node: Node, machine: Machine) -> None:
        if not is_object(node.value):
            machine.add_user_assigned(self.read_text(node, "an entry of user_assigned"))
            return
        names = ["name", "client_id", "object_id", "resource_id"]
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
        )

    def read_load_balancer(self, node: Node) -> dict[str, Json] | None:
        if node.value is None or node.value is False:
            return None
        members = self.read_mapping(node, "load_balancer", ["publicIpAddresses", "inboundRules", "outboundRules"])
        for name, value in members.items():
            for entry in self.read_list(value, name):
                self.read_mapping(entry, f"an entry of {name}", None)
        return dict(nodes.to_json(node))

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
    if is_object(base) and is_object(change):
        members: dict[str, Json] = dict(base)
        for name, value in change.items():
            members[name] = _merge(members.get(name), value)
        return members
    return change
