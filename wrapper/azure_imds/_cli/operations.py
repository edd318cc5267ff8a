"""The operations of the specification that commands call. A specification without one of them costs only its commands.

Every command of `azure-imds` but `call` is written by hand. The specification may remove or rename what it calls.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure_imds_api.api import Operation
    from azure_imds_api.descriptions import Description

#: The operation that a command calls. Its description in the specification is the command's help.
OPERATIONS = {
    "token": "identity.get_token",
    "instance": "instances.get_metadata",
    "identity": "identity.get_info",
    "attested": "attested.get_document",
    "events": "scheduled_events.get_events",
    "loadbalancer": "load_balancer.get_metadata",
    "versions": "versions.get_versions",
}

#: Operations that commands call, and that do not describe them.
_NEEDED = {"drain": "scheduled_events.get_events", "wait": "identity.get_token", "exec": "identity.get_token"}

#: Operations that a command calls only with some options.
_OPTIONAL = {"events": "scheduled_events.start_events"}


def read_description(command: str) -> Description | None:
    """The description of a command's operation. None if the specification does not have it.

    Commands without an operation of their own, such as the doctor, get that of a token: they have its options.
    """
    from azure_imds_api.descriptions import DESCRIPTIONS

    return DESCRIPTIONS.get(OPERATIONS.get(command, "identity.get_token"))


def explain_absence(command: str, *, optional: bool = False) -> str:
    """Why a command cannot work with this specification. "" if it can.

    Args:
        command: its name.
        optional: whether operations count that the command calls only with some options.
    """
    from azure_imds_api.descriptions import DESCRIPTIONS

    tables = (OPERATIONS, _NEEDED, _OPTIONAL) if optional else (OPERATIONS, _NEEDED)
    missing = [table[command] for table in tables if command in table and table[command] not in DESCRIPTIONS]
    if not missing:
        return ""
    return (
        f"{command} calls {' and '.join(missing)}, which the specification of this package does not have. "
        "`azure-imds call --help` lists the operations that it has"
    )


def find_operation(name: str) -> Operation[Any]:
    """The generated description of an operation."""
    from azure_imds_api.api import Operation  # imports httpx, which a page of help does not need

    tag = import_module(f"azure_imds_api.api.{name.partition('.')[0]}")
    found: list[Operation[Any]] = [value for value in vars(tag).values() if isinstance(value, Operation)]
    return next(operation for operation in found if operation.name == name)
