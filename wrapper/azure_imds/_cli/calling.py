"""`azure-imds call`: the operations of the specification by name. Each is a command of its own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .application import Group
from .messages import fold_name


class CallGroup(Group):
    """All operations. `identity.get_token` is found by its operationId and in other spellings too."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(read_descriptions())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        name = find_name(cmd_name)
        return _build(name) if name else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        typed = args[0]
        if not (name := find_name(typed)) and args[1:] and not args[1].startswith("-"):
            typed = ".".join(args[:2])
            if name := find_name(typed):
                args = args[1:]
        if name:
            return name, _build(name), args[1:]
        if not ctx.resilient_parsing:
            suggestions = suggest_names(typed) or suggest_names(args[0])
            hint = f" Did you mean {' or '.join(map(repr, suggestions))}?" if suggestions else ""
            ctx.fail(f"No such operation: {args[0]!r}.{hint} `azure-imds call --help` lists all.")
        return None, None, args[1:]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Lists the operations by tag."""
        from .operation_command import summarize

        by_tag: dict[str, list[str]] = {}
        for name, description in read_descriptions().items():
            by_tag.setdefault(name.partition(".")[0], []).append(f"  {name}\n      {summarize(description)}\n")
        for tag, rows in by_tag.items():
            formatter.write("".join([f"\n{tag}:\n", *rows]))


def _build(name: str) -> Any:
    from .operation_command import build_command

    return build_command(name)


def read_descriptions() -> Any:
    """The descriptions of all operations by name. Only this command needs them."""
    from azure_imds_api.descriptions import DESCRIPTIONS

    return DESCRIPTIONS


def find_name(typed: str) -> str | None:
    """The operation that the user means: `identity.get_token`, its operationId, or one of them spelled otherwise."""
    return typed if typed in read_descriptions() else _by_folded_name().get(fold_name(typed))


@lru_cache
def _by_folded_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, description in read_descriptions().items():
        found.setdefault(fold_name(description.operation_id), name)
    return found | {fold_name(name): name for name in read_descriptions()}


def suggest_names(typed: str) -> list[str]:
    """Operations that the user may have meant: with this text in their name, or with a similar name."""
    from difflib import get_close_matches

    folded, known = fold_name(typed), _by_folded_name()
    similar = [full for full in known if folded and folded in full] or get_close_matches(folded, known, n=1)
    return list(dict.fromkeys(known[full] for full in similar))
