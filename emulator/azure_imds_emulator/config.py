"""Settings from a YAML or JSON file and from the environment, refused with the line and the reason."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from inspect import signature
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

from .clock import Clock
from .events import EventSchedule
from .faults import FaultBook
from .machine import Json, Machine, ManagedIdentity, is_object
from .settings import BOUNDS, DIGEST_OIDS, Settings

ENVIRONMENT_PREFIX = "AZURE_IMDS_EMULATOR_"

T = TypeVar("T")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")

#: The settings that are one value, by what they are read as.
_FLAGS = ("arc", "arc_echo", "rate_limits", "accept_mi_res_id")
_WHOLE = ("port", "control_port", "token_lifetime", "max_recorded_requests")
_NUMBERS = ("first_call_delay",)
_TEXTS = ("host", "server", "arc_token_dir", "attested_digest_oid")


class ConfigError(ValueError):
    """A configuration cannot be used; the message names the file, the line and the reason."""


def load(path: str | Path, base: Settings | None = None) -> Settings:
    """Read a configuration file, by its content: YAML, of which JSON is a part.

    Args:
        path: the file.
        base: the settings that hold where the file says nothing.

    Raises:
        ConfigError: the file cannot be read, or says what cannot be.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{path}: {reason}") from error
    return parse(text, str(path), base, folder=path.parent)


def parse(text: str, name: str, base: Settings | None = None, *, folder: Path | None = None) -> Settings:
    """Read a configuration from text.

    Args:
        name: what to call it in messages.
        folder: where relative file names start.

    Raises:
        ConfigError: it says what cannot be.
    """
    reader = _Reader(name, folder or Path())
    node = reader.compose(text)
    return base or Settings() if node is None else reader.settings(node, base or Settings())


def change_machine(machine: Machine, text: str) -> None:
    """Change a machine by JSON that has the form of the file's section `machine`.

    Raises:
        ConfigError: it says what cannot be; the machine is then as it was.
    """
    reader = _Reader("body", Path())
    node = reader.compose(text)
    if node is not None:
        changed = reader.machine(node, machine)
        for field in fields(machine):
            setattr(machine, field.name, getattr(changed, field.name))


def from_environment(environment: Mapping[str, str], base: Settings | None = None) -> Settings:
    """The settings that are one value, from variables such as `AZURE_IMDS_EMULATOR_PORT`.

    Raises:
        ConfigError: a variable's value cannot be; the message names the variable.
    """
    given: dict[str, Any] = {}
    for name in (*_FLAGS, *_WHOLE, *_NUMBERS, *_TEXTS):
        variable = ENVIRONMENT_PREFIX + name.upper()
        text = environment.get(variable, "").strip()
        if text:
            try:
                given[name] = _from_text(name, text)
            except ValueError as error:
                raise ConfigError(f"{variable}: {error}") from error
    return replace(base or Settings(), **given)


def _from_text(name: str, text: str) -> object:
    if name in _FLAGS:
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        raise ValueError(f"true or false, not {text!r}")
    if name in _WHOLE or name in _NUMBERS:
        try:
            number = int(text) if name in _WHOLE else float(text)
        except ValueError:
            raise ValueError(f"a number, not {text!r}") from None
        return _bounded(name, number)
    if name == "attested_digest_oid" and text not in DIGEST_OIDS:
        raise ValueError(f"one of {', '.join(DIGEST_OIDS)}, not {text!r}")
    return text


def _bounded(name: str, number: float) -> float:
    least, most = BOUNDS[name]
    if not least <= number <= most:
        raise ValueError(f"a number from {least:g} to {most:g}, not {number!r}")
    return number


class _Reader:
    """Reads one text. Works on YAML's nodes, which know their lines, rather than on loaded values."""

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
            # YAML takes all JSON but for tabs between the tokens; inside a JSON string no bare tab can be.
            text = text.replace("\t", " ")
        try:
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise ConfigError(f"{self._name}:{line}: {error.problem or error.context}") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{self._name}: {error}") from None

    def settings(self, node: yaml.Node, base: Settings) -> Settings:
        members = self.mapping(node, "the configuration", [field.name for field in fields(Settings)])
        given: dict[str, Any] = {}
        for key, (value, _) in members.items():
            if key in _FLAGS:
                given[key] = self.flag(value, key)
            elif key in _WHOLE or key in _NUMBERS:
                given[key] = self.number(value, key, whole=key in _WHOLE)
            elif key in _TEXTS:
                given[key] = self.text(value, key)
                if key == "attested_digest_oid" and given[key] not in DIGEST_OIDS:
                    self.refuse(value, f"{key} is one of {', '.join(DIGEST_OIDS)}, not {given[key]!r}")
                if key == "arc_token_dir":
                    given[key] = str(self._folder / given[key])
        if "machine" in members:
            given["machine"] = self.machine(members["machine"][0], base.machine)
        machine = given.get("machine", base.machine)
        if "events" in members:
            trial = EventSchedule(machine, Clock())
            given["events"] = self.calls(members["events"][0], "events", trial.schedule)
        if "faults" in members:
            given["faults"] = self.calls(members["faults"][0], "faults", FaultBook(Clock()).fail)
        return replace(base, **given)

    def calls(self, node: yaml.Node, what: str, call: Callable[..., object]) -> list[dict[str, Json]]:
        """A list of keyword arguments, each tried on a call, which knows best what can be."""
        found: list[dict[str, Json]] = []
        for entry in self.sequence(node, what):
            self.mapping(entry, f"an entry of {what}", list(signature(call).parameters))
            arguments: dict[str, Json] = self.plain(entry)
            try:
                call(**arguments)
            except (TypeError, ValueError) as error:
                self.refuse(entry, str(error))
            found.append(arguments)
        return found

    def machine(self, node: yaml.Node, base: Machine) -> Machine:
        allowed = ["document", *(field.name for field in fields(Machine))]
        members = self.mapping(node, "machine", allowed)
        machine = replace(base)
        if "document" in members:
            machine.instance = self.document(members["document"][0])
        if "instance" in members:
            machine.instance = self.merged(machine.instance, members["instance"][0])
        if "extended" in members:
            self.mapping(members["extended"][0], "extended", None)
            machine.extended = self.plain(members["extended"][0])
        if "tenant_id" in members:
            machine.tenant_id = self.guid(members["tenant_id"][0], "tenant_id")
        if "system_assigned" in members:
            machine.system_assigned = self.system_assigned(members["system_assigned"][0])
        if "user_assigned" in members:
            machine.user_assigned = []
            for entry in self.sequence(members["user_assigned"][0], "user_assigned"):
                self.user_assigned(entry, machine)
        if "load_balancer" in members:
            machine.load_balancer = self.load_balancer(members["load_balancer"][0])
        if "invalid_resources" in members:
            entries = self.sequence(members["invalid_resources"][0], "invalid_resources")
            machine.invalid_resources = {self.text(entry, "an entry of invalid_resources") for entry in entries}
        return machine

    def document(self, node: yaml.Node) -> dict[str, Json]:
        path = self._folder / self.text(node, "document")
        try:
            loaded: Json = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            self.refuse(node, f"{path}: {error.strerror}")
        except ValueError as error:
            self.refuse(node, f"{path}: {error}")
        if not is_object(loaded):
            self.refuse(node, f"{path}: no object")
        return loaded

    def merged(self, base: dict[str, Json], node: yaml.Node) -> dict[str, Json]:
        """The document changed by what is given: objects member by member, arrays as a whole, scalars as text."""
        self.mapping(node, "instance", ["compute", "network"])
        changed: dict[str, Json] = _merge(base, self.texts(node))
        given = self.texts(node).get("compute", {})
        compute = changed.get("compute", {})
        if "resourceId" not in given and {"name", "subscriptionId", "resourceGroupName"} & given.keys():
            compute["resourceId"] = (
                f"/subscriptions/{compute.get('subscriptionId', '')}/resourceGroups"
                f"/{compute.get('resourceGroupName', '')}/providers/Microsoft.Compute"
                f"/virtualMachines/{compute.get('name', '')}"
            )
        if "tagsList" in given and "tags" not in given:
            # The service writes the same tags in two ways; a difference would not be faithful.
            pairs = (f"{tag.get('name', '')}:{tag.get('value', '')}" for tag in compute["tagsList"])
            compute["tags"] = ";".join(pairs)
        return changed

    def system_assigned(self, node: yaml.Node) -> ManagedIdentity | None:
        if isinstance(node, yaml.MappingNode):
            members = self.mapping(node, "system_assigned", ["client_id", "object_id"])
            default = _default_identity()
            return ManagedIdentity(
                self.guid(members["client_id"][0], "client_id") if "client_id" in members else default.client_id,
                self.guid(members["object_id"][0], "object_id") if "object_id" in members else default.object_id,
            )
        return _default_identity() if self.flag(node, "system_assigned") else None

    def user_assigned(self, node: yaml.Node, machine: Machine) -> None:
        if not isinstance(node, yaml.MappingNode):
            machine.add_user_assigned(self.text(node, "an entry of user_assigned"))
            return
        members = self.mapping(node, "an entry of user_assigned", ["name", "client_id", "object_id", "resource_id"])
        resource_id = self.text(members["resource_id"][0], "resource_id") if "resource_id" in members else None
        if "name" in members:
            name = self.text(members["name"][0], "name")
        elif resource_id is not None:
            name = resource_id.rpartition("/")[2]
        else:
            self.refuse(node, "a user-assigned identity needs a name or a resource_id")
        machine.add_user_assigned(
            name,
            client_id=self.guid(members["client_id"][0], "client_id") if "client_id" in members else None,
            object_id=self.guid(members["object_id"][0], "object_id") if "object_id" in members else None,
            resource_id=resource_id,
        )

    def load_balancer(self, node: yaml.Node) -> dict[str, Json] | None:
        if self.plain(node) in (None, False):
            return None
        members = self.mapping(node, "load_balancer", ["publicIpAddresses", "inboundRules", "outboundRules"])
        for name, (value, _) in members.items():
            for entry in self.sequence(value, name):
                self.mapping(entry, f"an entry of {name}", None)
        found: dict[str, Json] = self.plain(node)
        return found

    def mapping(
        self, node: yaml.Node, what: str, allowed: list[str] | None
    ) -> dict[str, tuple[yaml.Node, yaml.ScalarNode]]:
        """The members by name, each with the node of its key, for messages."""
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, f"{what} is a mapping of names to values")
        found: dict[str, tuple[yaml.Node, yaml.ScalarNode]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.refuse(key, f"a name in {what} is a text")
            name: str = key.value
            if name in found:
                self.refuse(key, f"{name!r} stands twice in {what}")
            if allowed is not None and name not in allowed:
                close = difflib.get_close_matches(name, allowed, 1)
                hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(allowed)}"
                self.refuse(key, f"{what} has no {name!r}{hint}")
            found[name] = (value, key)
        return found

    def sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self.refuse(node, f"{what} is a list")
        entries: list[yaml.Node] = node.value
        return entries

    def text(self, node: yaml.Node, what: str) -> str:
        value = self.plain(node)
        if not isinstance(value, str) or not value:
            self.refuse(node, f"{what} is a text, not {_called(value)}")
        return value

    def guid(self, node: yaml.Node, what: str) -> str:
        value = self.text(node, what)
        if not _GUID.fullmatch(value):
            self.refuse(node, f"{what} is a GUID, not {value!r}")
        return value

    def flag(self, node: yaml.Node, what: str) -> bool:
        value = self.plain(node)
        if not isinstance(value, bool):
            self.refuse(node, f"{what} is true or false, not {_called(value)}")
        return value

    def number(self, node: yaml.Node, what: str, *, whole: bool) -> float:
        value = self.plain(node)
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            self.refuse(node, f"{what} is a {'whole ' if whole else ''}number, not {_called(value)}")
        try:
            return _bounded(what, value)
        except ValueError as error:
            self.refuse(node, f"{what} is {error}")

    def plain(self, node: yaml.Node) -> Json:
        """The value, with dates left as the texts they are here: api-versions look like dates to YAML."""
        if isinstance(node, yaml.MappingNode):
            return {name: self.plain(value) for name, (value, _) in self.mapping(node, "a mapping", None).items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(entry) for entry in self.sequence(node, "a list")]
        kind = node.tag.rpartition(":")[2]
        if kind in ("int", "float", "bool", "null"):
            value: Json = yaml.safe_load(node.value) if kind != "null" else None
            return value
        if kind not in ("str", "timestamp"):
            self.refuse(node, f"{node.tag} is not understood here")
        return str(node.value)

    def texts(self, node: yaml.Node) -> Json:
        """The value with every scalar as text, as the service has it; `null` is empty."""
        if isinstance(node, yaml.MappingNode):
            return {name: self.texts(value) for name, (value, _) in self.mapping(node, "a mapping", None).items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.texts(entry) for entry in self.sequence(node, "a list")]
        return "" if node.tag.endswith(":null") else str(node.value)

    def refuse(self, node: yaml.Node, reason: str) -> NoReturn:
        raise ConfigError(f"{self._name}:{node.start_mark.line + 1}: {reason}")


def _default_identity() -> ManagedIdentity:
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


def _called(value: Json) -> str:
    return "nothing" if value is None else repr(value)
