"""Readable views of results. What has no view of its own here gets one from its shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .values import is_list, members, plain

#: Claims that are times, in Unix seconds (RFC 7519 §4.1).
_TIMES = ("exp", "iat", "nbf")

#: Wide enough for the longest word, so that texts below each other begin at the same column.
_STATES = {"pass": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}


def anything(value: Any) -> RenderableType:
    """Names and values below the path of what they belong to, and lists of flat objects as tables.

    What is empty is counted, and not shown.
    """
    parts = list(_parts(value, ""))
    full = [(path, part) for path, part in parts if part not in ("", {}, [])]
    if not full:
        return Text("Nothing is there.", "dim")
    leaves: dict[str, list[tuple[str, Any]]] = {}
    tables: dict[str, Any] = {}
    for path, part in full:
        parent, _, name = path.rpartition("/")
        if is_list(part):
            tables[path] = part
        else:
            leaves.setdefault(parent, []).append((name, part))
    sections = {path: _pairs(rows) for path, rows in leaves.items()} | {p: _table(rows) for p, rows in tables.items()}
    shown: list[RenderableType] = []
    for path in sorted(sections, key=lambda path: path.split("/")):
        shown += [Text()] if shown else []
        shown += [Text(path, "bold"), Padding.indent(sections[path], 2)] if path else [sections[path]]
    if len(full) < len(parts):
        shown.append(Text(f"\nLeft out, since empty: {len(parts) - len(full)}.", "dim"))
    return Group(*shown)


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Leaves, what is empty, and lists without further levels, each with its path."""
    inner = members(value)
    if not inner or (is_list(value) and all(_is_flat(member) for member in value)):
        yield path, value
        return
    for name, member in inner:
        yield from _parts(member, f"{path}/{name}" if path else str(name))


def _is_flat(value: Any) -> bool:
    return not any(members(member) or member in ({}, []) for _, member in members(value))


def _pairs(rows: Iterable[tuple[str, str | Text]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, value if isinstance(value, Text) else plain(value))
    return grid


def _table(rows: list[Any]) -> RenderableType:
    if not isinstance(rows[0], Mapping):
        return Group(*(Text(plain(row)) for row in rows))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="cyan")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(plain(row.get(name, "")) for name in columns))
    return table


def moment(seconds: float, now: float | None = None) -> str:
    """A time in UTC, and how far it is away."""
    when = datetime.fromtimestamp(seconds, UTC)
    left = seconds - (datetime.now(UTC).timestamp() if now is None else now)
    away = f"in {span(left)}" if left >= 0 else f"{span(-left)} ago"
    return f"{when:%Y-%m-%d %H:%M:%S} UTC, {away}"


def span(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"


def token(answer: Mapping[str, Any], claims: Mapping[str, Any], length: int) -> RenderableType:
    """A token's surroundings, and what it claims; never the token."""
    rows: list[tuple[str, str | Text]] = []
    for name, value in answer.items():
        if name == "access_token":
            rows.append((name, Text(f"******** ({length} characters; --raw prints it)", "dim")))
        elif value not in ("", None):
            rows.append((name, _time(value) if name in ("expires_on", "not_before") else plain(value)))
    parts: list[RenderableType] = [_pairs(rows)]
    if claims:
        told = [(name, _time(value) if name in _TIMES else plain(value)) for name, value in claims.items()]
        parts += [Text("\nClaims", "bold"), _pairs(told)]
    else:
        parts.append(Text("\nIt is no JWT, so there are no claims to read.", "dim"))
    return Group(*parts)


def _time(value: Any) -> str:
    try:
        return f"{plain(value)}  {moment(float(value))}"
    except (ValueError, TypeError, OverflowError, OSError):
        return plain(value)


def verified(data: Mapping[str, Any]) -> RenderableType:
    """What a document says whose signature holds."""
    return Group(Text("Verified: Azure signed this about this machine.\n", "green"), anything(data))


def events(document: Mapping[str, Any], now: float | None = None) -> RenderableType:
    """Scheduled events, each with the time that is left."""
    listed = cast(list[Mapping[str, Any]], document.get("Events") or [])
    if not listed:
        return Text("No events are scheduled.", "dim")
    return events_table((event, begins(event, now)) for event in listed)


def begins(event: Mapping[str, Any], now: float | None = None) -> Text:
    """When an event begins, and how long that is from now."""
    from .._events.changes import parse_not_before

    if event.get("EventStatus") == "Started":
        return Text("has begun", "bold red")
    when = parse_not_before(event.get("NotBefore"))
    if when is None:
        return Text("not known", "dim")
    left = when.timestamp() - (datetime.now(UTC).timestamp() if now is None else now)
    style = "red" if left < 60 else "yellow" if left < 600 else ""
    return Text(f"in {span(left)}" if left > 0 else "any moment", style).append(f"\n{when:%H:%M:%S} UTC", "dim")


def events_table(rows: Iterable[tuple[Mapping[str, Any], Text]]) -> Table:
    """Events, each with the text of its time column."""
    table = Table(box=None, padding=(0, 2, 1, 0), header_style="cyan")
    for name in ("What", "Begins", "Machines", "Why, and its id for --approve"):
        table.add_column(name, overflow="fold")
    for event, time in rows:
        what = Text(str(event.get("EventType")), "bold").append(f"\n{event.get('EventStatus')}", "dim")
        why = Text(str(event.get("Description") or event.get("EventSource") or ""))
        why.append(f"\n{event.get('EventId')}" if why.plain else str(event.get("EventId")), "dim")
        machines = cast(list[str], event.get("Resources") or [])
        table.add_row(what, time, "\n".join(machines), why)
    return table


def findings(result: Mapping[str, Any]) -> RenderableType:
    """What the doctor found, one line each, and below what to do about it."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(overflow="fold")
    for finding in cast(list[Mapping[str, Any]], result["findings"]):
        text = Text(finding["text"], "dim" if finding["status"] == "skip" else "")
        if finding["advice"]:
            text.append(f"\n{finding['advice']}", "italic")
        grid.add_row(Text(finding["status"], _STATES[finding["status"]]), Text(finding["check"], "cyan"), text)
    states = [finding["status"] for finding in result["findings"]]
    tally = ", ".join(f"{states.count(state)} {state}" for state in _STATES if state in states)
    return Group(grid, Text(f"\n{tally}", "bold red" if result["failed"] else "bold green"))
