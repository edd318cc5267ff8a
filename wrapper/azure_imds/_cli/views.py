"""Readable views of results. A result without a view of its own gets one from its structure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .values import format_leaf, is_list, list_members

#: Claims that are times, in Unix seconds (RFC 7519 §4.1).
_TIME_CLAIMS = ("exp", "iat", "nbf")

#: Colours that can be read on dark and on light backgrounds: their contrast to black and to white is almost the same.
#: The sixteen colours of a terminal are made for dark backgrounds.
NAME, GOOD, WARN, BAD = "color(30)", "color(28)", "color(130)", "bold color(160)"

_STATUS_STYLES = {"pass": GOOD, "warn": WARN, "fail": BAD, "skip": "dim"}


def render_json(value: Any) -> RenderableType:
    """Names and values under the path of their object, and arrays of flat objects as tables.

    Empty values are not shown, but counted.
    """
    parts = list(_iter_parts(value, ""))
    full = [(path, part) for path, part in parts if part not in ("", {}, [])]
    if not full:
        return Text("The result is empty.", "dim")
    leaves: dict[str, list[tuple[str, Any]]] = {}
    tables: dict[str, Any] = {}
    for path, part in full:
        parent, _, name = path.rpartition("/")
        if is_list(part):
            tables[path] = part
        else:
            leaves.setdefault(parent, []).append((name, part))
    sections = {path: _render_pairs(rows) for path, rows in leaves.items()}
    sections |= {path: _render_table(rows) for path, rows in tables.items()}
    shown: list[RenderableType] = []
    for path in sorted(sections, key=lambda path: path.split("/")):
        shown += [Text()] if shown else []
        shown += [Text(path, "bold"), Padding.indent(sections[path], 2)] if path else [sections[path]]
    if len(full) < len(parts):
        shown.append(Text(f"\nEmpty values, not shown: {len(parts) - len(full)}.", "dim"))
    return Group(*shown)


def _iter_parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yields leaves, empty values and arrays of flat objects, each with its path."""
    inner = list_members(value)
    if not inner or (is_list(value) and all(_is_flat(member) for member in value)):
        yield path, value
        return
    for name, member in inner:
        yield from _iter_parts(member, f"{path}/{name}" if path else str(name))


def _is_flat(value: Any) -> bool:
    return not any(list_members(member) or member in ({}, []) for _, member in list_members(value))


def _render_pairs(rows: Iterable[tuple[str, str | Text]]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=NAME, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, value if isinstance(value, Text) else _Value(format_leaf(value)))
    return grid


class _Value:
    """A value in a column. A path or URL that is too long is broken before its slashes, if that is enough."""

    def __init__(self, text: str) -> None:
        self._text = text
        is_path = text.startswith("/") or "://" in text
        self._pieces = re.split(r"(?=/)(?<![:/])", text) if is_path else [text]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        if len(self._pieces) == 1:
            return Measurement.get(console, options, Text(self._text))
        return Measurement(max(map(cell_len, self._pieces)), cell_len(self._text)).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        lines = [""]
        for piece in self._pieces:
            if lines[-1] and cell_len(lines[-1] + piece) > options.max_width:
                lines.append("")
            lines[-1] += piece
        yield Text("\n".join(lines), overflow="fold")


def _render_table(rows: list[Any]) -> RenderableType:
    if not isinstance(rows[0], Mapping):
        return Group(*(Text(format_leaf(row)) for row in rows))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=NAME)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_Value(format_leaf(row.get(name, ""))) for name in columns))
    return table


def render_resources(rows: Iterable[Mapping[str, str]]) -> RenderableType:
    """Names of resources. No URI is broken, so that it can be copied."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=NAME)
    for name in ("name", "resource", "service"):
        table.add_column(name, no_wrap=name != "service", overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    return table


def format_time(seconds: float, now: float | None = None) -> str:
    """A time (Unix seconds) in UTC, and how far it is from now."""
    time = datetime.fromtimestamp(seconds, UTC)
    left = seconds - (datetime.now(UTC).timestamp() if now is None else now)
    distance = f"in {format_duration(left)}" if left >= 0 else f"{format_duration(-left)} ago"
    return f"{time:%Y-%m-%d %H:%M:%S} UTC, {distance}"


def format_duration(seconds: float) -> str:
    """A duration in its two largest units."""
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"


def render_token(answer: Mapping[str, Any], claims: Mapping[str, Any], length: int) -> RenderableType:
    """The response that holds a token, and the token's claims; never the token."""
    rows: list[tuple[str, str | Text]] = []
    for name, value in answer.items():
        if name == "access_token":
            rows.append((name, Text(f"******** ({length} characters; to print it, use --raw)", "dim")))
        elif value not in ("", None):
            rows.append((name, _format_unix_time(value) if name in ("expires_on", "not_before") else value))
    parts: list[RenderableType] = [_render_pairs(rows)]
    if claims:
        claim_rows: list[tuple[str, str | Text]] = [
            (name, _format_unix_time(value) if name in _TIME_CLAIMS else value) for name, value in claims.items()
        ]
        parts += [Text("\nClaims", "bold"), _render_pairs(claim_rows)]
    else:
        parts.append(Text("\nThe token is not a JWT, so its claims cannot be shown.", "dim"))
    return Group(*parts)


def _format_unix_time(value: Any) -> str:
    try:
        return f"{format_leaf(value)}  {format_time(float(value))}"
    except (ValueError, TypeError, OverflowError, OSError):
        return format_leaf(value)


def render_verified(data: Mapping[str, Any]) -> RenderableType:
    """The content of a verified document."""
    return Group(Text("Verified: Azure signed this document about this machine.\n", GOOD), render_json(data))


def render_events(document: Mapping[str, Any], now: float | None = None) -> RenderableType:
    """Scheduled events, each with the time until it starts."""
    events = cast(list[Mapping[str, Any]], document.get("Events") or [])
    if not events:
        return Text("No events are scheduled.", "dim")
    return render_events_table((event, format_start(event, now)) for event in events)


def format_start(event: Mapping[str, Any], now: float | None = None) -> Text:
    """When an event starts, and how far that is from now."""
    from .._events.changes import parse_not_before

    if event.get("EventStatus") == "Started":
        return Text("has started", BAD)
    time = parse_not_before(event.get("NotBefore"))
    if time is None:
        return Text("unknown", "dim")
    left = time.timestamp() - (datetime.now(UTC).timestamp() if now is None else now)
    style = BAD if left < 60 else WARN if left < 600 else ""
    text = Text(f"in {format_duration(left)}" if left > 0 else "any moment", style)
    return text.append(f"\n{time:%H:%M:%S} UTC", "dim")


def render_events_table(rows: Iterable[tuple[Mapping[str, Any], Text]]) -> Table:
    """Events, each with the text for its time column."""
    table = Table(box=None, padding=(0, 2, 1, 0), header_style=NAME)
    for header in ("Event", "Starts", "Machines", "Description, id for --approve"):
        table.add_column(header, overflow="fold")
    for event, time in rows:
        name = Text(str(event.get("EventType")), "bold").append(f"\n{event.get('EventStatus')}", "dim")
        description = Text(str(event.get("Description") or event.get("EventSource") or ""))
        description.append(f"\n{event.get('EventId')}" if description.plain else str(event.get("EventId")), "dim")
        machines = cast(list[str], event.get("Resources") or [])
        table.add_row(name, time, "\n".join(machines), description)
    return table


def render_findings(result: Mapping[str, Any]) -> RenderableType:
    """The findings of the doctor, each with its advice below it, and the number of findings by status."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(overflow="fold")
    for finding in cast(list[Mapping[str, Any]], result["findings"]):
        text = Text(finding["text"], "dim" if finding["status"] == "skip" else "")
        if finding["advice"]:
            text.append(f"\n{finding['advice']}", "italic")
        grid.add_row(Text(finding["status"], _STATUS_STYLES[finding["status"]]), Text(finding["check"], NAME), text)
    statuses = [finding["status"] for finding in result["findings"]]
    counts = ", ".join(f"{statuses.count(status)} {status}" for status in _STATUS_STYLES if status in statuses)
    note = Text(f"{result['note']}\n", "italic")
    return Group(note, grid, Text(f"\n{counts}", BAD if result["failed"] else GOOD))
