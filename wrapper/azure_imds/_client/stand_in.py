"""Requests on a host that has operations of its own: another operation stands for the one that was called.

The specification says where each value of such a request comes from: an argument, the environment, or a file. Values
from the environment and files are read for each request, because platforms replace their secrets.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Any, NamedTuple

from azure_imds_api.api import Operation, Source

from .._interruptions import is_interruption
from ..errors import ImdsUnavailableError
from .files import open_without_blocking
from .host import Host
from .validation import check_arguments, invalid, value_problems

#: Bytes of the longest file with a secret. A token of Kubernetes has about 1,500.
LARGEST_FILE = 65536


class Values(NamedTuple):
    """The values of one request.

    Attributes:
        arguments: those of the operation that is sent.
        secrets: the secrets among them, which no error may show.
    """

    arguments: dict[str, Any]
    secrets: tuple[bytes, ...]


def check_call(
    host: Host, operation: Operation[Any], arguments: Mapping[str, Any], *, caller: str, names: Mapping[str, str]
) -> None:
    """Raises for the first argument that is wrong, or that this host cannot be sent.

    Args:
        host: where the operation will be sent.
        operation: what was called.
        arguments: its arguments by Python name.
        caller: what the user called, for the message.
        names: arguments that the user knows by another name.

    Raises:
        ImdsValidationError: with the name of the argument.
    """
    check_arguments(operation, arguments, caller=caller, names=names)
    sent = host.operation(operation)
    if sent is None or host.is_imds:
        return
    accepted = [source.argument for source in sent.sources if source.argument]
    selectors = [names.get(name, name) for group in operation.exclusive for name in group if name in accepted]
    for name in arguments:
        if name not in accepted:
            instead = f"Pass {' or '.join(selectors)}" if selectors else "Pass no identity"
            text = f"cannot be sent to {host.server.title}. {instead}."
            raise invalid(names.get(name, name), text, caller)


def stand_in(host: Host, operation: Operation[Any], arguments: Mapping[str, Any], caller: str) -> Operation[Any]:
    """The operation to send in place of the one that was called.

    Raises:
        ImdsValidationError: an argument is wrong, or the host cannot be sent it.
        ImdsUnavailableError: the host has no such operation.
    """
    check_call(host, operation, arguments, caller=caller, names={})
    found = host.operation(operation)
    if found is None:
        hint = host.server.refused or f"Available here: {', '.join(_available(host))}."
        text = f"{caller}: this is {host.server.title} ({host.reason}), so IMDS is not called. {hint}"
        raise ImdsUnavailableError(text, hint=hint)
    return found


def _available(host: Host) -> list[str]:
    """The names of the operations of a host, such as identity.get_token."""
    from azure_imds_api.descriptions import DESCRIPTIONS

    return [
        name for name, described in DESCRIPTIONS.items() if described.operation_id in (host.server.operations or ())
    ]


def values_of(host: Host, operation: Operation[Any], arguments: Mapping[str, Any], caller: str) -> Values:
    """Collects the values of a request.

    Args:
        host: where the request is sent.
        operation: the operation that stands for the one that was called.
        arguments: the arguments of the call.
        caller: what the user called, for messages.

    Raises:
        ImdsValidationError: a value is missing or malformed. The message names its variable.
        ImdsUnavailableError: a file cannot be read.
    """
    values: dict[str, Any] = {}
    body: dict[str, Any] = {}
    secrets: list[bytes] = []
    for source in operation.sources:
        value = _value(source, arguments, caller)
        if value is None:
            if source.required:
                raise _missing(source, host, caller)
            continue
        rule = operation.rules[source.name]
        rule = rule["properties"][source.member] if source.member else rule
        if problem := next(value_problems(rule, value), None):
            name = source.argument if source.argument in arguments else source.variable or source.file
            raise invalid(name or source.argument, problem[1], caller)
        if source.secret:
            secrets.append(str(value).encode())
        if source.member:
            body[source.member] = value
        else:
            values[source.name] = value
    if operation.body is not None:
        values["body"] = operation.body(body)
    return Values(values, tuple(secrets))


def _value(source: Source, arguments: Mapping[str, Any], caller: str) -> Any:
    if (value := arguments.get(source.argument)) is not None:
        return f"{value}{source.suffix}" if source.suffix else value
    if value := os.environ.get(source.variable):
        return value
    if path := os.environ.get(source.file):
        return _read_file(path, source.file, caller)
    return source.default


def _missing(source: Source, host: Host, caller: str) -> Exception:
    variable = source.file or source.variable
    if not source.argument:
        return invalid(variable, f"is not set any more, and {host.server.title} requires it", caller)
    problem = f"is required on {host.server.title}: pass it" + (f", or set {variable}" if variable else "")
    return invalid(source.argument, problem, caller)


def _read_file(path: str, variable: str, caller: str) -> str:
    """The content of a file without whitespace at its ends. Unlike a FIFO or a device, a file does not block."""
    try:
        with open_without_blocking(path) as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            content = file.read(LARGEST_FILE + 1) if is_file else b""
        problem = "" if is_file else "it is not a regular file"
    except OSError as error:
        if is_interruption(error):
            raise
        content, problem = b"", error.strerror or "it is not readable"
    if not problem and len(content) > LARGEST_FILE:
        problem = f"it has more than {LARGEST_FILE} bytes"
    elif not problem and not content.strip():
        problem = "it is empty"
    if not problem and not content.isascii():
        problem = "it contains other characters than ASCII"
    if problem:
        raise ImdsUnavailableError(f"{caller}: the file that {variable} names cannot be used: {problem}")
    return content.decode("ascii").strip()
