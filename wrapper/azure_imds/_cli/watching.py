"""`events --watch`: a live table at a terminal, or one line of JSON for each change in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .output import print_line
from .settings import Output
from .values import find_part, make_printable

if TYPE_CHECKING:
    from .._events.changes import EventChange
    from .._events.watcher import EventWatcher
    from .session import Session


def watch(session: Session, *, every_machine: bool) -> None:
    """Shows changes until Ctrl-C."""
    from .._client.client import ImdsClient
    from .._events.watcher import EventWatcher

    settings = session.settings
    live = sys.stdout.isatty() and settings.query is None and settings.output in (None, Output.table)
    with (
        ImdsClient(settings.endpoint, deadline=settings.deadline) as imds,
        EventWatcher(imds, resource=None if every_machine else "auto") as watcher,
    ):
        if live:
            _show_table(watcher)
        for change in watcher:
            line = to_json(change)
            print_line(find_part(line, settings.query) if settings.query else line)


def to_json(change: EventChange) -> dict[str, Any]:
    """A change as a JSON object. `previous` and `notBefore` (ISO 8601, UTC) are null if the change has none."""
    return {
        "kind": change.kind,
        "event": change.event.to_dict(),
        "previous": change.previous.to_dict() if change.previous else None,
        "notBefore": change.not_before.isoformat() if change.not_before else None,
    }


def _show_table(watcher: EventWatcher[Any]) -> None:
    from rich.console import Group, RenderableType
    from rich.live import Live
    from rich.text import Text

    from . import views
    from .progress import restore_cursor
    from .terminal import make_console

    #: The last change of each event, by id. Events that have ended stay at the end of the table.
    changes: dict[str, EventChange] = {}

    def view() -> RenderableType:
        known = sorted(changes.values(), key=lambda change: change.kind == "gone")
        if not known:
            return Text("No events are scheduled. Watching; press Ctrl-C to stop.", "dim")
        rows = [
            (event, Text("has ended", "dim") if change.kind == "gone" else views.format_start(event))
            for change in known
            for event in [make_printable(change.event.to_dict())]
        ]
        return Group(views.render_events_table(rows), Text("Watching; press Ctrl-C to stop.", "dim"))

    with restore_cursor(), Live(get_renderable=view, console=make_console(), refresh_per_second=2) as live:
        for change in watcher:
            changes[change.event.event_id] = change
            live.refresh()
