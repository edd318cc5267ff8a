"""Machines as network namespaces: their own loopback interface, addresses and ports, and no route to other machines.

Only in such a machine do tests use the address of IMDS, 169.254.169.254.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import run_program

#: Runs a command with another /etc/hosts. `ip netns exec` gives each command a mount namespace of its own.
_WITH_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'


@dataclass(frozen=True)
class Machine:
    """A network namespace.

    Attributes:
        name: the name for `ip netns`.
        hosts: the file that its programs see as /etc/hosts.
    """

    name: str
    hosts: Path

    def add_address(self, address: str, device: str) -> None:
        """Adds an address with the length of its prefix, such as `192.0.2.1/24`, and activates the device."""
        _ip("-netns", self.name, "address", "add", address, "dev", device)
        _ip("-netns", self.name, "link", "set", device, "up")

    def add_name(self, address: str, name: str) -> None:
        """Adds a name to /etc/hosts."""
        with self.hosts.open("a", encoding="utf-8") as file:
            file.write(f"{address} {name}\n")

    def set_parameter(self, name: str, value: str) -> None:
        """Sets a kernel parameter of the network, as `sysctl` does."""
        self.run("sh", "-c", 'echo "$1" > "/proc/sys/$0"', name.replace(".", "/"), value)

    def command(self, *command: str | Path) -> list[str]:
        """Returns the command that runs a command on this machine."""
        return [
            *("ip", "netns", "exec", self.name, "sh", "-c", _WITH_HOSTS, str(self.hosts)),
            *map(str, command),
        ]

    def run(self, *command: str | Path, **options: Any) -> str:
        """Runs a command on this machine, and returns what it printed. It must succeed.

        Args:
            options: options of `subprocess.Popen`.
        """
        done = run_program(self.command(*command), timeout=120, **options)
        assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
        return done.stdout


@contextmanager
def make_machine(folder: Path) -> Iterator[Machine]:
    """Makes a machine with only a loopback interface. At the end, its processes are killed and it is deleted.

    Args:
        folder: the folder for its files.
    """
    name = f"imds-test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    machine = Machine(name, folder / f"{name}.hosts")
    machine.hosts.write_text("127.0.0.1 localhost\n", encoding="utf-8")
    _ip("netns", "add", name)
    try:
        machine.add_address("127.0.0.1/8", "lo")
        yield machine
    finally:
        processes = _ip("netns", "pids", name).split()
        if processes:
            subprocess.run(["kill", "-KILL", *processes], check=False)
        _ip("netns", "delete", name)


def connect(machines: Mapping[Machine, str]) -> None:
    """Connects two machines, each with its address, through their devices `eth0`."""
    (one, _), (other, _) = machines.items()
    _ip("-netns", one.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", other.name)
    for machine, address in machines.items():
        machine.add_address(address, "eth0")


def find_obstacle() -> str | None:
    """Returns why this process cannot make machines, or `None`."""
    name = f"imds-test-{os.getpid()}-probe"
    try:
        _ip("netns", "add", name)
        _ip("netns", "delete", name)
    except OSError as error:
        return str(error)
    except subprocess.CalledProcessError as error:
        return str(error.stderr).strip()
    return None


def _ip(*arguments: str) -> str:
    """Runs `ip` of iproute2, and returns what it printed."""
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout
