"""The hosts that the emulator can play. The contract describes them, so the emulator has no code for a single one.

`make` writes `hosts.json` from openapi.yaml, next to the generated client. This module reads it as a file, because the
emulator shares no code with the client.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .machine import Json

#: The names of a virtual machine of Azure. The contract has the second one.
VM, AZURE = "vm", "azure"
ARC = "arc"

#: What the contract calls the arguments that select an identity, and the resource that a token is for.
SELECTORS = ("client_id", "object_id", "msi_res_id")
RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a token request, or a member of its form.

    Attributes:
        place: `header`, `query`, `path` or `form`.
        argument: what it is for, such as `client_id`, whatever its name.
        variable: the environment variable from which clients read the value.
        file: the environment variable with the path of the file from which clients read the value.
        suffix: text after the argument.
        values: values that the contract names: the default and examples.
    """

    name: str
    place: str
    required: bool
    argument: str
    variable: str | None
    file: str | None
    suffix: str
    default: Json
    values: tuple[Json, ...]
    is_secret: bool

    @property
    def is_version(self) -> bool:
        """Whether it is the version of the endpoint."""
        return self.default is not None and "version" in self.name.lower()

    @property
    def is_constant(self) -> bool:
        """Whether all requests have the same value. Headers such as Metadata are not required by every host."""
        return self.default is not None and self.place != "header" and self.required and not self.is_version

    @property
    def is_guarded(self) -> bool:
        """Whether the host refuses requests without this secret."""
        return self.is_secret and (self.variable or self.file) is not None


@dataclass(frozen=True, slots=True)
class HostError:
    """An error of the host.

    Attributes:
        when: what is wrong with the request: `secret`, `version`, `identity` or `resource`. `None` for other errors.
        body: a text, or a value that is sent as JSON.
    """

    status: int
    when: str | None
    body: Json


@dataclass(frozen=True, slots=True)
class TokenOperation:
    """The token request of a host, and its responses.

    Attributes:
        pattern: matches the path, with a group for each parameter in it.
        echoed: parameters that the response repeats, with the members that may contain them.
        examples: successful responses by name. The first one is the usual one.
    """

    method: str
    path: str
    parameters: tuple[Parameter, ...]
    echoed: Mapping[str, list[str]]
    errors: tuple[HostError, ...]
    examples: Mapping[str, dict[str, Json]]

    def match_path(self, path: str) -> dict[str, str] | None:
        """Returns the parameters in the path; `None` for another path. Extra slashes do not matter."""
        parts = re.split(r"\{([^}]+)\}", self.path)
        names = parts[1::2]
        pattern = "([^/]+)".join(re.escape(part) for part in parts[::2])
        found = re.fullmatch(f"{pattern}/?", re.sub("/+", "/", path))
        return dict(zip(names, found.groups(), strict=True)) if found else None


@dataclass(frozen=True, slots=True)
class Host:
    """A host of managed identities.

    Attributes:
        title: what people call it; `None` for a virtual machine.
        scheme: `http` or `https`.
        when_set: variables by which clients recognize the host.
        when_unset: variables that must not be set for that.
        template: the URL of the token endpoint, with variables in braces.
        certificate: the variable with the SHA-1 of the certificate; `None` if clients verify a chain.
        operation: its token request; `None` if it has the endpoints of a virtual machine.
    """

    name: str
    title: str | None
    scheme: str
    when_set: tuple[str, ...]
    when_unset: tuple[str, ...]
    template: str | None
    certificate: str | None
    refused: bool
    operation: TokenOperation | None

    def make_environment(self, endpoint: str, values: Mapping[str, str]) -> dict[str, str]:
        """Returns the variables by which clients recognize the host and find it at `endpoint`.

        Args:
            values: the values of variables that do not depend on the address.

        Raises:
            ValueError: the URL of the host does not fit its template.
        """
        found = self._solve_template(endpoint, values)
        # The value of a variable that only shows where a program runs, such as the name of an app, does not matter.
        shown = dict.fromkeys(self.when_set, "azure-imds-emulator")
        return {**shown, **values, **found}

    def _solve_template(self, endpoint: str, values: Mapping[str, str]) -> dict[str, str]:
        """Returns the variables of the template with which it is the URL of the token endpoint."""
        if self.template is None or self.operation is None:
            return {}
        path = self.operation.path
        for parameter in self.operation.parameters:
            if parameter.place == "path" and parameter.variable:
                path = path.replace(f"{{{parameter.name}}}", values.get(parameter.variable, ""))
        pattern, seen = "", set[str]()
        for index, part in enumerate(re.split(r"\{([^}]+)\}", self.template)):
            if index % 2 == 0:
                pattern += re.escape(part)
            elif part in values:
                pattern += re.escape(values[part])
            else:
                pattern += f"(?P={part})" if part in seen else f"(?P<{part}>.+)"
                seen.add(part)
        found = re.fullmatch(pattern, endpoint + path)
        if found is None:
            raise ValueError(f"host {self.name}: {endpoint}{path} does not fit x-url {self.template}")
        return found.groupdict()


@cache
def load_hosts() -> Mapping[str, Host]:
    """Returns the hosts by name, in the order of their detection."""
    return {data["name"]: _read_host(data) for data in json.loads(find_file().read_text(encoding="utf-8"))}


def find_file() -> Path:
    """Returns the path of `hosts.json`."""
    spec = importlib.util.find_spec("azure_imds_api")
    folders = list((spec and spec.submodule_search_locations) or ())
    if not folders:
        raise FileNotFoundError("hosts.json: the package azure_imds_api, a part of azure-imds, is not installed")
    return Path(folders[0]) / "hosts.json"


def list_host_names() -> list[str]:
    """Returns the names of the hosts that the emulator can play. The first one is the default."""
    return [VM, *(name for name, host in load_hosts().items() if not host.refused)]


def find_foreign_variables(name: str, own: Mapping[str, str], environment: Mapping[str, str]) -> frozenset[str]:
    """Returns the variables of an environment because of which clients would recognize another host than `name`.

    Args:
        own: the variables of the host.
    """
    hosts = load_hosts()
    present = {variable for variable, value in {**environment, **own}.items() if value}
    foreign = set(hosts[name].when_unset)
    for host in hosts.values():
        if present.issuperset(host.when_set) and present.isdisjoint(host.when_unset):
            foreign.update(host.when_set)
    return frozenset(foreign & environment.keys() - own.keys())


def _read_host(data: dict[str, Json]) -> Host:
    operation = data["operation"]
    return Host(
        name=data["name"],
        title=data["title"],
        scheme=data["url"].partition(":")[0],
        when_set=tuple(data["when"].get("set", ())),
        when_unset=tuple(data["when"].get("unset", ())),
        template=data["url_template"],
        certificate=data["certificate"],
        refused=data["refused"] is not None,
        operation=operation and _read_operation(operation),
    )


def _read_operation(data: dict[str, Json]) -> TokenOperation:
    return TokenOperation(
        method=data["method"],
        path=data["path"],
        parameters=tuple(
            Parameter(
                name=parameter["name"],
                place=parameter["in"],
                required=parameter["required"],
                argument=parameter["argument"],
                variable=parameter["from"],
                file=parameter["file"],
                suffix=parameter["suffix"],
                default=parameter["default"],
                values=tuple(parameter["values"]),
                is_secret=parameter["secret"],
            )
            for parameter in data["parameters"]
        ),
        echoed=data["echoed"],
        errors=tuple(HostError(error["status"], error["when"], error["body"]) for error in data["errors"]),
        examples=data["examples"],
    )
