"""`events --watch`: a live table for people, one line of JSON a change for programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .output import emit_line
from .settings import Output
from .values import at, printable

if TYPE_CHECKING:
    from .._events.changes import EventChange
    from .._events.watcher import EventWatcher
    from .session import Session


def watch(session: Session, *, everyone: bool) -> None:
    """Shows what changes until it is interrupted."""
    from .._client.client import ImdsClient
    from .._events.watcher import EventWatcher

    settings = session.settings
    live = sys.stdout.isatty() and settings.query is None and settings.output in (None, Output.table)
    with (
        ImdsClient(settings.endpoint, deadline=settings.deadline) as imds,
        EventWatcher(imds, resource=None if everyone else "auto") as watcher,
    ):
        if live:
            _show(watcher)
        for change in watcher:
            line = told(change)
            emit_line(at(line, settings.query) if settings.query else line)


def told(change: EventChange) -> dict[str, Any]:
    """A change as JSON: `previous` and `notBefore` (ISO 8601, UTC) are null where there is none."""
    return {
        "kind": change.kind,
        "event": change.event.to_dict(),
        "previous": change.previous.to_dict() if change.previous else None,
        "notBefore": change.not_before.isoformat() if change.not_before else None,
    }


def _show(watcher: EventWatcher[Any]) -> None:
    from rich.console import Group, RenderableType
    from rich.live import Live
    from rich.text import Text

    from . import views
    from .terminal import console

    #: By id; what is over stays to be seen, as the last of the table.
    current: dict[str, EventChange] = {}

    def view() -> RenderableType:
        known = sorted(current.values(), key=lambda change: change.kind == "gone")
        if not known:
            return Text("No events are scheduled. Watching; Ctrl-C ends it.", "dim")
        rows = [
            (event, Text("is over", "dim") if change.kind == "gone" else views.begins(event))
            for change in known
            for event in [printable(change.event.to_dict())]
        ]
        return Group(views.events_table(rows), Text("Watching; Ctrl-C ends it.", "dim"))

    with Live(get_renderable=view, console=console(), refresh_per_second=2) as live:
        for change in watcher:
            current[change.event.event_id] = change
            live.refresh()
