"""Settings from a YAML or JSON file and from environment variables. Errors contain the line and the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from inspect import signature
from pathlib import Path
from typing import Any

from . import nodes
from .clock import Clock
from .events import EventSchedule
from .faults import FaultQueue
from .machine import Json, Machine
from .machine_reader import MachineReader
from .nodes import ConfigError, Node
from .scenarios import ScenarioPlayer
from .settings import Settings, find_problem

ENVIRONMENT_PREFIX = "AZURE_IMDS_EMULATOR_"

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")

#: The settings that have one value, by type.
_FLAGS = ("arc", "arc_echo", "rate_limits", "accept_mi_res_id", "log")
_INTEGERS = ("port", "control_port", "token_lifetime", "max_recorded_requests")
_NUMBERS = ("first_call_delay",)
_TEXTS = (
    "host",
    "as_host",
    "token_example",
    "control_host",
    "server",
    "arc_token_dir",
    "attested_digest_oid",
    "metadata_header",
    "issuer",
)


def load(path: str | Path, base: Settings | None = None, *, machine: str | None = None) -> Settings:
    """Reads a YAML or JSON configuration file. The file extension does not matter.

    Args:
        path: the file.
        base: the settings for everything that the file does not set.
        machine: name of the ready-made machine that `base` has, instead of that in the file.

    Raises:
        ConfigError: the file cannot be read or is not valid.
    """
    path = Path(path)
    try:
        text = nodes.read_file(path, nodes.MAX_SIZE)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    return parse(text, str(path), base, folder=path.parent, machine=machine)


def parse(
    text: str, name: str, base: Settings | None = None, *, folder: Path | None = None, machine: str | None = None
) -> Settings:
    """Reads a configuration from text.

    Args:
        name: the name of the file in error messages.
        base: the settings for everything that the text does not set.
        folder: the folder for relative file names. Default: the current folder.
        machine: name of the ready-made machine that `base` has, instead of that in the text.

    Raises:
        ConfigError: the text is not valid.
    """
    node = nodes.compose(text, name)
    if node is None:
        return base or Settings()
    return _SettingsReader(name, folder or Path(), machine).read_settings(node, base or Settings())


def read_machine(value: Json, current: Machine, *, whole: bool = False) -> Machine:
    """Returns a machine, changed as the section `machine` of a configuration file does.

    Args:
        value: the content of the section. It cannot name a file: requests make the emulator read no file.
        current: the machine to change. It stays as it is.
        whole: whether the section describes the whole machine. What is missing is as in the default machine then.

    Raises:
        ConfigError: the value is not valid.
    """
    return MachineReader("", None).read_machine(nodes.from_json(value), Machine() if whole else current, whole=whole)


def from_environment(environment: Mapping[str, str], base: Settings | None = None) -> Settings:
    """Reads settings from variables such as `AZURE_IMDS_EMULATOR_PORT`.

    The variables of events, faults and scenarios contain YAML or JSON: the same list as in a file.

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
    if names := split_names(environment.get(f"{ENVIRONMENT_PREFIX}CONTROL_HOSTS", "")):
        values["control_hosts"] = names
    base = base or Settings()
    for name, function in _make_functions(base.machine).items():
        variable = ENVIRONMENT_PREFIX + name.upper()
        node = nodes.compose(environment.get(variable, ""), variable)
        if node is not None:
            values[name] = _SettingsReader(variable, Path(), None).read_calls(node, name, function)
    return replace(base, **values)


def _make_functions(machine: Machine) -> dict[str, Callable[..., object]]:
    """Returns functions that check the entries of events, faults and scenarios, by the name of the setting."""
    schedule = EventSchedule(machine, Clock())
    return {
        "events": schedule.schedule,
        "faults": FaultQueue(Clock()).fail,
        "scenarios": ScenarioPlayer(schedule).play,
    }


def split_names(text: str) -> list[str]:
    """Returns the names in a text in which commas separate them."""
    return [name.strip() for name in text.split(",") if name.strip()]


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


class _SettingsReader(MachineReader):
    """Reads the settings.

    Args:
        machine: name of the ready-made machine to use instead of that in the text.
    """

    def __init__(self, name: str, folder: Path, machine: str | None) -> None:
        super().__init__(name, folder, base=machine)

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
            if self.is_arc(members["machine"]) and "arc" not in members:
                values["arc"] = True
        if "control_hosts" in members:
            entries = self.read_list(members["control_hosts"], "control_hosts")
            values["control_hosts"] = [self.read_text(entry, "an entry of control_hosts") for entry in entries]
        functions = _make_functions(values.get("machine", base.machine))
        for name in functions.keys() & members.keys():
            values[name] = self.read_calls(members[name], name, functions[name])
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
