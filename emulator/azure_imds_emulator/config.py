"""Settings from a YAML or JSON file and from environment variables. Errors contain the line and the reason."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from inspect import signature
from pathlib import Path
from typing import Any, NoReturn

import yaml

from .clock import Clock
from .events import EventSchedule
from .faults import FaultQueue
from .machine import Json, Machine, ManagedIdentity, is_object
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


class ConfigError(ValueError):
    """A configuration is not valid. The message contains the file or variable, the line and the reason."""


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
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{path}: {reason}") from error
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
    reader = _Reader(name, folder or Path())
    node = reader.compose(text)
    return base or Settings() if node is None else reader.read_settings(node, base or Settings())


def change_machine(machine: Machine, text: str) -> None:
    """Changes a machine as the section `machine` of a configuration file does.

    Args:
        text: the content of the section, in JSON.

    Raises:
        ConfigError: the text is not valid. The machine does not change.
    """
    reader = _Reader("body", Path())
    node = reader.compose(text)
    if node is not None:
        changed = reader.read_machine(node, machine)
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


class _Reader:
    """Reads one text. It works on YAML nodes instead of loaded values, because nodes contain their line numbers."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder

    def compose(self, text: str) -> yaml.Node | None:
        if text.lstrip().startswith("{"):
            try:
                json.loads(text)
            except ValueError as error:
                line = getattr(error, "lineno", 1)
                raise ConfigError(f"{self._name}:{line}: not JSON: {getattr(error, 'msg', error)}") from None
            # YAML accepts all JSON except tabs between tokens. JSON strings cannot contain an unescaped tab.
            text = text.replace("\t", " ")
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise ConfigError(f"{self._name}:{line}: {error.problem or error.context}") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{self._name}: {error}") from None

    def read_settings(self, node: yaml.Node, base: Settings) -> Settings:
        members = self.read_mapping(node, "the configuration", [field.name for field in fields(Settings)])
        values: dict[str, Any] = {}
        for name, value in members.items():
            if name in _FLAGS:
                values[name] = self.read_flag(value, name)
            elif name in _INTEGERS or name in _NUMBERS:
                values[name] = self.read_number(value, name, integer=name in _INTEGERS)
            elif name in _TEXTS:
                values[name] = self.read_text(value, name)
                if problem := find_problem(name, values[name]):
                    self.fail(value, f"{name} {problem}")
                if name == "arc_token_dir":
                    values[name] = str(self._folder / values[name])
        if "machine" in members:
            values["machine"] = self.read_machine(members["machine"], base.machine)
        if "events" in members:
            schedule = EventSchedule(values.get("machine", base.machine), Clock()).schedule
            values["events"] = self.read_calls(members["events"], "events", schedule)
        if "faults" in members:
            values["faults"] = self.read_calls(members["faults"], "faults", FaultQueue(Clock()).fail)
        return replace(base, **values)

    def read_calls(self, node: yaml.Node, what: str, function: Callable[..., object]) -> list[dict[str, Json]]:
        """Reads a list of keyword arguments. Calls the function with each, because it checks them best."""
        calls: list[dict[str, Json]] = []
        for entry in self.read_list(node, what):
            self.read_mapping(entry, f"an entry of {what}", list(signature(function).parameters))
            arguments: dict[str, Json] = self.read_value(entry)
            try:
                # Names a missing argument, but not the function, whose name is not in the file.
                signature(function).bind(**arguments)
                function(**arguments)
            except (TypeError, ValueError) as error:
                self.fail(entry, f"an entry of {what}: {error}")
            calls.append(arguments)
        return calls

    def read_machine(self, node: yaml.Node, base: Machine) -> Machine:
        allowed = ["document", *(field.name for field in fields(Machine))]
        members = self.read_mapping(node, "machine", allowed)
        machine = replace(base)
        if "document" in members:
            machine.instance = self.read_document(members["document"])
        if "instance" in members:
            machine.instance = self.merge_instance(machine.instance, members["instance"])
        if "extended" in members:
            self.read_mapping(members["extended"], "extended", None)
            machine.extended = self.read_value(members["extended"])
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

    def read_document(self, node: yaml.Node) -> dict[str, Json]:
        path = self._folder / self.read_text(node, "document")
        try:
            document: Json = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            self.fail(node, f"document {path}: {error.strerror}")
        except ValueError as error:
            self.fail(node, f"document {path}: not JSON: {error}")
        if not is_object(document):
            self.fail(node, f"document {path} must contain a JSON object")
        return document

    def merge_instance(self, base: dict[str, Json], node: yaml.Node) -> dict[str, Json]:
        """Merges changes into the document: objects member by member, arrays as a whole, scalars as text."""
        self.read_mapping(node, "instance", ["compute", "network"])
        changes = self.read_as_text(node)
        merged: dict[str, Json] = _merge(base, changes)
        changed, compute = changes.get("compute", {}), merged.get("compute", {})
        if "resourceId" not in changed and {"name", "subscriptionId", "resourceGroupName"} & changed.keys():
            compute["resourceId"] = (
                f"/subscriptions/{compute.get('subscriptionId', '')}/resourceGroups"
                f"/{compute.get('resourceGroupName', '')}/providers/Microsoft.Compute"
                f"/virtualMachines/{compute.get('name', '')}"
            )
        if "tagsList" in changed and "tags" not in changed:
            # IMDS returns the same tags in both members.
            pairs = (f"{tag.get('name', '')}:{tag.get('value', '')}" for tag in compute["tagsList"])
            compute["tags"] = ";".join(pairs)
        return merged

    def read_system_assigned(self, node: yaml.Node) -> ManagedIdentity | None:
        if isinstance(node, yaml.MappingNode):
            members = self.read_mapping(node, "system_assigned", ["client_id", "object_id"])
            default = _get_default_identity()
            return ManagedIdentity(
                self.read_guid(members["client_id"], "client_id") if "client_id" in members else default.client_id,
                self.read_guid(members["object_id"], "object_id") if "object_id" in members else default.object_id,
            )
        return _get_default_identity() if self.read_flag(node, "system_assigned") else None

    def add_user_assigned(self, node: yaml.Node, machine: Machine) -> None:
        if not isinstance(node, yaml.MappingNode):
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

    def read_load_balancer(self, node: yaml.Node) -> dict[str, Json] | None:
        if self.read_value(node) in (None, False):
            return None
        members = self.read_mapping(node, "load_balancer", ["publicIpAddresses", "inboundRules", "outboundRules"])
        for name, value in members.items():
            for entry in self.read_list(value, name):
                self.read_mapping(entry, f"an entry of {name}", None)
        load_balancer: dict[str, Json] = self.read_value(node)
        return load_balancer

    def read_mapping(self, node: yaml.Node, what: str, allowed: list[str] | None) -> dict[str, yaml.Node]:
        """Returns the nodes of a mapping by name. `allowed` lists the known names; `None` allows all."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"{what} must be a mapping of names to values")
        members: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fail(key, f"the names in {what} must be texts")
            name: str = key.value
            if name in members:
                self.fail(key, f"{what} contains {name!r} twice")
            if allowed is not None and name not in allowed:
                close = difflib.get_close_matches(name, allowed, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"known names: {', '.join(allowed)}"
                self.fail(key, f"unknown name {name!r} in {what}; {hint}")
            members[name] = value
        return members

    def read_list(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, f"{what} must be a list")
        entries: list[yaml.Node] = node.value
        return entries

    def read_text(self, node: yaml.Node, what: str) -> str:
        value = self.read_value(node)
        if not isinstance(value, str) or not value:
            self.fail(node, f"{what} must be a text, got {_describe(value)}")
        return value

    def read_guid(self, node: yaml.Node, what: str) -> str:
        value = self.read_text(node, what)
        if not _GUID.fullmatch(value):
            self.fail(node, f"{what} {_GUID_PROBLEM}, got {value!r}")
        return value

    def read_flag(self, node: yaml.Node, what: str) -> bool:
        value = self.read_value(node)
        if not isinstance(value, bool):
            self.fail(node, f"{what} must be true or false, got {_describe(value)}")
        return value

    def read_number(self, node: yaml.Node, what: str, *, integer: bool) -> float:
        value = self.read_value(node)
        if isinstance(value, bool) or not isinstance(value, int if integer else (int, float)):
            self.fail(node, f"{what} must be {'a whole number' if integer else 'a number'}, got {_describe(value)}")
        if problem := find_problem(what, value):
            self.fail(node, f"{what} {problem}")
        return value

    def read_value(self, node: yaml.Node) -> Json:
        """Returns the value of a node. Dates stay texts, because YAML would parse an api-version as a date."""
        if isinstance(node, yaml.MappingNode):
            members = self.read_mapping(node, "a mapping", None)
            return {name: self.read_value(value) for name, value in members.items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.read_value(entry) for entry in self.read_list(node, "a list")]
        tag = node.tag.rpartition(":")[2]
        if tag in ("int", "float", "bool", "null"):
            value: Json = yaml.safe_load(node.value) if tag != "null" else None
            return value
        if tag not in ("str", "timestamp"):
            self.fail(node, f"the tag {node.tag} is not supported")
        return str(node.value)

    def read_as_text(self, node: yaml.Node) -> Json:
        """Returns the value of a node with all scalars as text, as IMDS returns them; `null` becomes `""`."""
        if isinstance(node, yaml.MappingNode):
            members = self.read_mapping(node, "a mapping", None)
            return {name: self.read_as_text(value) for name, value in members.items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.read_as_text(entry) for entry in self.read_list(node, "a list")]
        return "" if node.tag.endswith(":null") else str(node.value)

    def fail(self, node: yaml.Node, reason: str) -> NoReturn:
        raise ConfigError(f"{self._name}:{node.start_mark.line + 1}: {reason}")


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


def _describe(value: Json) -> str:
    return "nothing" if value is None else repr(value)
