"""What a shell offers to complete. Everything comes from the generated data, so that no request is sent."""

from __future__ import annotations

from inspect import signature
from typing import get_args

import typer

from .operations import OPERATIONS, find_operation


def complete_query(ctx: typer.Context, incomplete: str) -> list[str]:
    """Paths of the command's result, for `--query`."""
    from .._client.path_suggestions import list_paths

    return list_paths(_find_name(ctx), incomplete)


def complete_version(ctx: typer.Context) -> list[str]:
    """The version that the command's operation has by default, and newest."""
    from azure_imds_api.descriptions import DESCRIPTIONS

    name = _find_name(ctx)
    if name not in DESCRIPTIONS:  # a group of commands
        return ["newest"]
    version = signature(find_operation(name).build).parameters.get("api_version")
    return [*([version.default] if version else ()), "newest"]


def _find_name(ctx: typer.Context) -> str:
    name = ctx.command.name or ""
    return OPERATIONS.get(name, name)


def complete_event_types(incomplete: str) -> list[str]:
    """The last type of a list with commas."""
    from azure_imds_api.models.known_event_type import KnownEventType

    before, comma, _ = incomplete.rpartition(",")
    given = before.split(",")
    return [f"{before}{comma}{known}" for known in get_args(KnownEventType) if known not in given]
