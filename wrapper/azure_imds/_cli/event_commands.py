"""Runs a command for changes of scheduled events, for `drain` and `events --exec`."""

from __future__ import annotations

import errno
import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

import attrs

from .._client.client import ImdsClient
from .._clock import Clock
from .._events.changes import EventChange
from .._events.deadline import EventDeadline
from .._events.watcher import EventWatcher
from .._log import error_fields, log
from ..errors import ImdsError
from .child import Child
from .drain_state import DrainState, Handled, Progress
from .values import make_printable
from .watching import to_json

#: The longest value of a variable, in characters. The system limits all of them together.
_LONGEST_VALUE = 2000
#: The longest single wait, in seconds. A longer one is waited for in parts.
_LONGEST_WAIT = 3600.0
#: Seconds between two attempts to approve an event while IMDS does not answer, or to start a process or a thread, and
#: the random part of them.
_PAUSE = 1.0
#: Errors at the start of a process that can end by themselves: too many processes or open files, too little memory.
_SHORTAGES = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


@attrs.frozen(kw_only=True)
class Rules:
    """How the command is run.

    Attributes:
        command: the text for the shell.
        grace: seconds before NotBefore at which the command is ended, and seconds that it has to end.
        concerns: whether the command is run for a change.
        approve: approves an event after the command has ended with status 0. None: events are not approved.
        once: whether to stop after the first event.
    """

    command: str
    grace: float
    concerns: Callable[[EventChange], bool]
    approve: Callable[[EventChange], object] | None = None
    once: bool = False


@attrs.define(eq=False)
class _Event:
    """An event, with the changes for which the command is still to be run.

    Attributes:
        deadline: when its command must have ended.
        wakeups: wakes its thread up: the command has ended, the deadline has moved, or it is time to stop.
        thread: runs the command for one change after the other. None if there is nothing to do.
        child: the running command.
    """

    deadline: EventDeadline
    wakeups: SimpleQueue[None] = attrs.field(factory=SimpleQueue[None])
    thread: threading.Thread | None = None
    child: Child | None = None
    _changes: deque[EventChange] = attrs.field(factory=deque[EventChange], init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def is_over(self) -> bool:
        """Whether the event is gone and its commands have ended."""
        return self.thread is None and self.deadline.change.kind == "gone"

    def add(self, change: EventChange, work: Callable[[_Event], object]) -> None:
        """Adds a change, and starts a thread that calls `work` if there is none.

        Raises:
            RuntimeError: the thread cannot be started. The change is not added.
        """
        with self._lock:
            if self.thread is None:
                thread = threading.Thread(target=work, args=(self,), daemon=True)
                thread.start()  # it waits for the lock first
                self.thread = thread
            self._changes.append(change)

    def next_change(self) -> EventChange | None:
        """Removes the next change. If there is none, the thread must end."""
        with self._lock:
            if self._changes:
                return self._changes.popleft()
            self.thread = None
            return None

    def __str__(self) -> str:
        event = self.deadline.change.event
        return f"{event.event_type} {event.event_id}"


class EventCommands:
    """Runs the command: for changes of one event one after the other, for different events in parallel.

    Attributes:
        failed: whether a command has failed.
        has_handled: with `once`, whether an event is handled.
    """

    def __init__(self, watcher: EventWatcher[ImdsClient], rules: Rules, state: DrainState | None, clock: Clock) -> None:
        """Runs nothing yet.

        Args:
            watcher: reports the changes.
            rules: how the command is run.
            state: the events that were handled, each of which is handled once. None: each change is handled.
            clock: the source of time.
        """
        self.failed = False
        self._watcher = watcher
        self._rules = rules
        self._state = state
        self._clock = clock
        self._events: dict[str, _Event] = {}
        self._stopping = False
        self._killing = False
        self.has_handled = False

    def run(self) -> None:
        """Runs the command until `stop` is called, or with `once` until an event is handled. No command survives it."""
        try:
            for change in self._watcher:
                self._on_change(change)
        finally:
            if not self.has_handled:
                self._stopping = True
            self._wake_all()
            for thread in [event.thread for event in self._events.values()]:
                if thread is not None:
                    thread.join()

    def stop(self) -> None:
        """Ends `run` and the commands. The second call kills them. Safe in signal handlers."""
        if self._stopping:
            self._killing = True
            for event in list(self._events.values()):
                if event.child is not None:
                    event.child.kill()
        self._stopping = True
        self._watcher.stop()
        self._wake_all()

    def _wake_all(self) -> None:
        for event in list(self._events.values()):
            event.wakeups.put(None)

    def _on_change(self, change: EventChange) -> None:
        event_id = change.event.event_id
        concerns = self._rules.concerns(change)
        event = self._events.get(event_id)
        if event is not None:
            event.deadline.move(change)
            event.wakeups.put(None)
        elif concerns:
            deadline = EventDeadline(change, self._rules.grace, self._clock, flexible=True)
            event = self._events[event_id] = _Event(deadline)
        if event is not None and concerns:
            self._start_work(event, change)
        self._events = {known: event for known, event in self._events.items() if not event.is_over}

    def _start_work(self, event: _Event, change: EventChange) -> None:
        is_first = True
        while not self._stopping:
            try:
                event.add(change, self._work)
                return
            except RuntimeError as error:
                if is_first:
                    log.error("%s: the command cannot be started yet: %s", event, error)
                is_first = False
                self._pause(event)

    def _pause(self, event: _Event) -> None:
        """Waits before another attempt. The end of the program and a change of the event end the wait."""
        self._clock.wait(_PAUSE + self._clock.jitter(_PAUSE), event.wakeups)

    def _work(self, event: _Event) -> None:
        while (change := event.next_change()) is not None:
            if self._stopping or self.has_handled:
                continue
            try:
                if self._state is None:
                    self._execute(event, change, Handled(starts=1))
                elif self._handle(event, change, self._state) and self._rules.once:
                    self.has_handled = True
                    self._watcher.stop()
            except Exception:
                self.failed = True
                log.exception("%s: internal error", event)

    def _handle(self, event: _Event, change: EventChange, state: DrainState) -> bool:
        """Runs the command and approves the event, unless that was done before. Returns whether all is done now."""
        event_id = change.event.event_id
        handled = state.get(event_id) or Handled()
        if handled.progress == "done":
            log.info("%s: was handled before", event)
            return False
        if handled.progress == "running":
            if not event.deadline.can_approve:
                log.warning("%s: has already started, so it is too late for the command", event)
                return False
            handled.starts += 1
            state.set(event_id, handled)
            is_started = self._execute(event, change, handled)
            if not is_started:
                handled.starts -= 1
                state.set(event_id, handled)
            if handled.status is None and self._stopping:
                return False  # it runs again after a restart
            if not is_started:
                return True  # this run has failed, and a restart tries again
            handled.progress = "succeeded" if handled.status == 0 and self._rules.approve else "done"
            state.set(event_id, handled)
            self.failed = self.failed or handled.status != 0
        if handled.progress == "succeeded":
            progress = self._approve(event)
            if progress is None:
                return False
            handled.progress = progress
            state.set(event_id, handled)
        return True

    def _execute(self, event: _Event, change: EventChange, handled: Handled) -> bool:
        """Runs the command, and sets its exit status, or None if it was ended. Returns whether it was started."""
        deadline = event.deadline
        # A command for the start or the end of an event has no limit.
        is_limited = deadline.can_approve and not deadline.overdue
        child = self._start(event, change, handled.starts, is_limited)
        if child is None:
            return False
        event.child = child
        while child.status is None and not self._stopping and not (is_limited and deadline.overdue):
            limit = deadline.limit if is_limited else None
            self._clock.wait(_LONGEST_WAIT if limit is None else min(limit, _LONGEST_WAIT), event.wakeups)
        status = child.status
        if status is None:
            reason = "azure-imds ends" if self._stopping else "the event is about to start"
            log.warning("%s: %s, so the command is ended", event, reason)
            grace = self._rules.grace if self._stopping else deadline.margin
            child.end(0.0 if self._killing else grace, self._clock, event.wakeups)
        child.read_rest()
        event.child = None
        if status is not None:
            log.log(logging.WARNING if status else logging.INFO, "%s: the command returned %s", event, status)
        handled.status = status
        return True

    def _start(self, event: _Event, change: EventChange, starts: int, is_limited: bool) -> Child | None:
        """Starts the command, as soon as the system has what it needs. Returns None if it could not be started."""
        deadline = event.deadline
        is_before_start = deadline.can_approve
        text = json.dumps(to_json(change)) + "\n"
        is_first = True
        while True:
            limit = deadline.limit if is_limited else None
            if is_first:
                log.info("%s: running the command%s", event, "" if limit is None else f", for at most {limit:.0f} s")
            variables = make_variables(change, limit, starts)
            try:
                return Child(self._rules.command, variables, text, partial(log.info, "%s: %s", event), event.wakeups)
            except OSError as error:
                problem = error.strerror or error
                is_late = (is_limited and deadline.overdue) or (is_before_start and not deadline.can_approve)
                if error.errno not in _SHORTAGES or is_late or self._stopping:
                    log.error("%s: the command cannot be started: %s", event, problem)
                    self.failed = True
                    return None
                if is_first:
                    log.error("%s: the command cannot be started yet: %s", event, problem)
                is_first = False
                self._pause(event)

    def _approve(self, event: _Event) -> Progress | None:
        """Approves the event, also after an outage of IMDS.

        Returns:
            How far the event is: still "succeeded" if it is gone, because it may return. None if this program ends, and
            the next run must approve.
        """
        deadline, approve = event.deadline, self._rules.approve
        if approve is None:  # an earlier run had --approve
            return "done"
        if len(set(deadline.change.event.resources)) > 1:
            log.info("%s: not approved, since it names other machines too, and one approval counts for all", event)
            return "done"
        is_first = True
        while deadline.can_approve:
            if self._stopping:
                return None
            try:
                approve(deadline.change)
            except ImdsError as error:
                if is_first or not error.retryable:
                    log.warning("%s: not approved: %s", event, error, extra=error_fields(error))
                if not error.retryable:
                    return "done"
                is_first = False
                self._pause(event)
            else:
                log.info("%s: approved", event)
                return "done"
        is_gone = deadline.change.kind == "gone"
        log.info("%s: not approved, since it %s", event, "is gone" if is_gone else "has started")
        return "succeeded" if is_gone else "done"


def make_variables(change: EventChange, seconds: float | None, starts: int) -> dict[str, str]:
    """The variables of the command. `docs/cli.md` describes them."""
    event = change.event
    values: dict[str, Any] = {
        "CHANGE": change.kind,
        "ID": event.event_id,
        "TYPE": event.event_type,
        "STATUS": event.event_status,
        "SOURCE": event.event_source,
        "DESCRIPTION": event.description,
        "RESOURCES": ",".join(event.resources),
        "NOT_BEFORE": change.not_before.isoformat() if change.not_before else "",
        "SECONDS": "" if seconds is None else int(seconds),
        "START": starts,
    }
    return {
        f"AZURE_IMDS_EVENT_{name}": "" if value is None else make_printable(str(value))[:_LONGEST_VALUE]
        for name, value in values.items()
    }
