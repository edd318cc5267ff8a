"""The containers of Containerfile, examples/compose.yaml and examples/kubernetes.yaml, as network namespaces.

Addresses, kernel parameters, variables and commands are those of the files, so a wrong one fails the tests. The image
is not built: its programs are those of this environment. They run without capabilities, but as the same user, because
others may have no access to the environment.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from integration.namespaces import Machine, connect, make_machine

from support import ROOT

#: The name of the image in the files.
IMAGE = "azure-imds-emulator"

#: Runs a command without capabilities, as container engines and the files do.
WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")

_INSTRUCTION = re.compile(r"^([A-Z]+) (.*)$", re.MULTILINE)
_LOGGED = re.compile(r"^\S+Z (?P<method>[A-Z]+) (?P<target>\S+) (?P<status>\d+) (?P<agent>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class LoggedRequest:
    """A request in the log of the emulator."""

    target: str
    status: int
    agent: str


@dataclass(frozen=True)
class RunningEmulator:
    """The emulator in a container.

    Attributes:
        machine: the machine of the container.
        log: the file with its log.
    """

    machine: Machine
    log: Path

    def read_requests(self) -> list[LoggedRequest]:
        """Returns all requests so far. A request is in the log before its response is sent."""
        return [
            LoggedRequest(found["target"], int(found["status"]), found["agent"])
            for found in _LOGGED.finditer(self.log.read_text(encoding="utf-8"))
        ]


@dataclass(frozen=True)
class Pod:
    """A machine with an emulator, and the command of the program that uses it."""

    emulator: RunningEmulator
    machine: Machine
    command: Sequence[str]


def read_instructions() -> list[tuple[str, str]]:
    """Returns the instructions of Containerfile, each with its arguments."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "")
    return _INSTRUCTION.findall(text)


def read_variables() -> dict[str, str]:
    """Returns the variables of the image."""
    return dict(arguments.split("=", 1) for name, arguments in read_instructions() if name == "ENV")


def read_entrypoint() -> list[str]:
    """Returns the command of the image."""
    [entrypoint] = [json.loads(arguments) for name, arguments in read_instructions() if name == "ENTRYPOINT"]
    return [str(word) for word in entrypoint]


def read_example(name: str) -> dict[str, Any]:
    """Returns a file of examples/."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "examples" / name).read_text(encoding="utf-8"))
    return document


def make_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns an environment in which the commands of the image are those of this environment."""
    return {**variables, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}


@contextmanager
def run_emulator(
    machine: Machine, folder: Path, variables: Mapping[str, str] | None = None, *, options: Sequence[str] = ()
) -> Iterator[RunningEmulator]:
    """Runs the image on a machine.

    Args:
        machine: the machine.
        folder: the folder for the log.
        variables: variables in addition to those of the image.
        options: options in addition to `--log`.
    """
    log = folder / f"{machine.name}.log"
    command = [*WITHOUT_CAPABILITIES, *read_entrypoint(), "--log", *options]
    environment = make_environment({**read_variables(), **(variables or {})})
    with (
        log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            machine.command(*command), env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("endpoint "), log.read_text(encoding="utf-8")
            yield RunningEmulator(machine, log)
        finally:
            process.kill()


@contextmanager
def run_compose(folder: Path, *options: str) -> Iterator[Pod]:
    """Runs the service `imds` of examples/compose.yaml, and yields it with the machine of the service `app`.

    Args:
        folder: the folder for files.
        options: options of the emulator.
    """
    document = read_example("compose.yaml")
    imds, app = document["services"]["imds"], document["services"]["app"]
    [(network, place)] = imds["networks"].items()
    assert app["networks"] == [network]
    [ipam] = document["networks"][network]["ipam"]["config"]
    subnet = ipaddress.ip_network(ipam["subnet"])
    address = ipaddress.ip_address(place["ipv4_address"])
    assert address in subnet
    # The first address of a network is its gateway.
    other = next(host for host in list(subnet.hosts())[1:] if host != address)
    with make_machine(folder) as first, make_machine(folder) as second:
        connect({first: f"{address}/{subnet.prefixlen}", second: f"{other}/{subnet.prefixlen}"})
        for name, value in imds["sysctls"].items():
            first.set_parameter(name, str(value))
        variables = {name: str(value) for name, value in imds["environment"].items()}
        with run_emulator(first, folder, variables, options=options) as emulator:
            yield Pod(emulator, second, app["entrypoint"])


@contextmanager
def run_kubernetes(folder: Path) -> Iterator[Pod]:
    """Runs the pod of examples/kubernetes.yaml, except for the container of the program."""
    specification = read_example("kubernetes.yaml")["spec"]
    before, sidecar = specification["initContainers"]
    [app] = specification["containers"]
    with make_machine(folder) as machine:
        for parameter in specification["securityContext"]["sysctls"]:
            machine.set_parameter(parameter["name"], parameter["value"])
        machine.run(*before["command"])
        variables = {variable["name"]: variable["value"] for variable in sidecar["env"]}
        with run_emulator(machine, folder, variables, options=sidecar.get("args", ())) as emulator:
            yield Pod(emulator, machine, app["command"])
