"""The changes that a watcher yields: which kind, in which order, and at which time."""

from __future__ import annotations

import typing
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_imds import EventChange
from azure_imds._events.changes import ChangeDetector, parse_not_before
from azure_imds_api.models.known_event_type import KnownEventType
from events_support import LIFE, START, Host, an_event, model, seen, started, watch
from support import Colour, answer, example

NOON = datetime(2024, 1, 2, 12, 0, tzinfo=UTC)


def test_an_event_is_added_changes_and_is_gone(colour: Colour) -> None:
    event = an_event()
    changes = watch(colour, Host([], [event], [event], [started(event)], [started(event)], []))
    assert seen(changes) == LIFE
    added, changed, gone = changes
    assert added.event == model(event)
    assert added.previous is None
    assert added.not_before == datetime.fromtimestamp(START + 900, UTC)
    assert changed.event == model(started(event))
    assert changed.previous == added.event
    assert changed.not_before is None
    assert gone.event == gone.previous == changed.event


def test_an_event_first_seen_as_started_is_added(colour: Colour) -> None:
    changes = watch(colour, Host([started(an_event())]))
    assert seen(changes) == [("added", "A", "Started")]
    assert changes[0].not_before is None
    assert changes[0].seconds_left() == 0.0


def test_a_cancelled_event_is_gone_in_its_last_known_state(colour: Colour) -> None:
    changes = watch(colour, Host([an_event()], []))
    assert seen(changes) == [("added", "A", "Scheduled"), ("gone", "A", "Scheduled")]
    assert changes[1].seconds_left() is None


@pytest.mark.parametrize(
    "change",
    [{"NotBefore": formatdate(START + 60, usegmt=True)}, {"Description": "Soon."}, {"New": 1}, {"EventType": "Freeze"}],
    ids=lambda change: next(iter(change)),
)
def test_each_field_can_change(colour: Colour, change: dict[str, Any]) -> None:
    changes = watch(colour, Host([an_event()], [an_event(**change)]))
    assert [one.kind for one in changes] == ["added", "changed"]
    assert changes[1].event == model(an_event(**change))
    assert changes[1].previous == model(an_event())


def test_changes_have_the_order_of_the_document_and_gone_events_are_last(colour: Colour) -> None:
    a, b, c = (an_event(name) for name in "ABC")
    changes = watch(colour, Host([a, b], [c, started(b)], [started(b), c]))
    assert seen(changes) == [
        ("added", "A", "Scheduled"),
        ("added", "B", "Scheduled"),
        ("added", "C", "Scheduled"),
        ("changed", "B", "Started"),
        ("gone", "A", "Scheduled"),
    ]


@pytest.mark.parametrize("incarnations", [(7, 1), (7, 7), (7, 8)], ids=["reset", "same", "next"])
def test_a_reset_incarnation_loses_no_change(colour: Colour, incarnations: tuple[int, int]) -> None:
    first, second = (
        answer(200, {"DocumentIncarnation": number, "Events": [event]})
        for number, event in zip(incarnations, (an_event("A"), an_event("B")), strict=True)
    )
    assert seen(watch(colour, Host(first, second))) == [
        ("added", "A", "Scheduled"),
        ("added", "B", "Scheduled"),
        ("gone", "A", "Scheduled"),
    ]


def test_a_new_incarnation_with_the_same_events_is_not_a_change(colour: Colour) -> None:
    assert len(watch(colour, Host([an_event()], [an_event()], [an_event()]))) == 1


def test_all_types_of_the_reference_are_read(colour: Colour) -> None:
    changes = watch(colour, Host(answer(200, example("scheduledevents-all-types"))), resource=None)
    assert {change.event.event_type for change in changes} == set(typing.get_args(KnownEventType))
    assert changes[0].not_before == datetime(2024, 1, 2, 3, 19, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", ["2017-08-01", "2019-04-01", "2019-08-01"])
def test_documents_of_older_versions_are_read(colour: Colour, name: str) -> None:
    host = Host(answer(200, example(f"scheduledevents-{name}")))
    assert seen(watch(colour, host, resource="vm-example-0")) == [
        ("added", "00000000-0000-0000-0000-0000000000A2", "Scheduled")
    ]


def test_an_unknown_type_and_an_unknown_status_are_yielded(colour: Colour) -> None:
    changes = watch(colour, Host([an_event(EventType="Relocate", EventStatus="Paused")]))
    assert changes[0].event.event_type == "Relocate"
    assert changes[0].event.event_status == "Paused"


def test_a_duplicate_event_id_counts_once(colour: Colour) -> None:
    twice = [an_event(), started(an_event())]
    assert seen(watch(colour, Host(twice, twice, twice))) == [("added", "A", "Started")]


def test_a_change_is_frozen() -> None:
    change = EventChange("added", model(an_event()))
    with pytest.raises(AttributeError):
        change.kind = "gone"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue, 02 Jan 2024 12:00:00 GMT", NOON),
        ("2024-01-02T12:00:00Z", NOON),
        ("2024-01-02T12:00:00.5000000Z", NOON + timedelta(seconds=0.5)),
        ("2024-01-02T13:00:00+01:00", NOON),
        ("2024-01-02T12:00:00", NOON),
        ("", None),
        (None, None),
    ],
)
def test_both_time_formats_are_read(
    text: str | None, moment: datetime | None, caplog: pytest.LogCaptureFixture
) -> None:
    found = parse_not_before(text)
    assert found == moment
    assert found is None or found.tzinfo is UTC
    assert not caplog.records


@pytest.mark.parametrize("text", ["soon", " ", "0", "2024-13-45T99:00:00Z", "Tue, 99 Foo 2024 99:99:99 GMT", 5, []])
def test_an_unreadable_time_is_none_and_logs_one_warning(
    colour: Colour, text: Any, caplog: pytest.LogCaptureFixture
) -> None:
    event = an_event(NotBefore=text)
    changes = watch(colour, Host([event], [event], [{**event, "Description": "x"}], []))
    assert [change.kind for change in changes] == ["added", "changed", "gone"]
    assert all(change.not_before is None for change in changes)
    assert changes[0].seconds_left() is None
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage().startswith("scheduled events: cannot read the NotBefore of event A: ")


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [-+A-Z0-9]*"))
def test_no_text_makes_the_time_parser_fail(text: str) -> None:
    found = parse_not_before(text)
    assert found is None or found.tzinfo is UTC


def test_seconds_left_counts_down_to_zero() -> None:
    change = EventChange("added", model(an_event()), not_before=NOON)
    assert change.seconds_left(NOON - timedelta(seconds=30)) == 30.0
    assert change.seconds_left(datetime(2024, 1, 2, 12, 59, 50, tzinfo=timezone(timedelta(hours=1)))) == 10.0
    assert change.seconds_left(NOON + timedelta(seconds=30)) == 0.0
    assert change.seconds_left() == 0.0


def test_events_that_are_gone_are_forgotten() -> None:
    detector = ChangeDetector()
    for number in range(1000):
        detector.detect([model(an_event(str(number)))])
    detector.detect([])
    assert not detector._known
