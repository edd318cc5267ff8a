"""Scenarios: their documented timing, scaled, in a loop, and how to start and stop them."""

from __future__ import annotations

import sys
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Clock, ConfigError, Emulator
from azure_imds_emulator.cli import main, make_parser, read_settings
from azure_imds_emulator.config import parse
from azure_imds_emulator.presets import PRESETS
from azure_imds_emulator.scenarios import list_scenarios
from cli_support import read_usage_message

MINUTE = 60
DAY = 24 * 3600
NOW = 1704164645

#: Type, source and duration of the event, its notice and how long it lasts. These are the numbers of Microsoft's
#: documentation; host-failure begins without notice.
DOCUMENTED: dict[str, tuple[str, str, int, float, float]] = {
    "live-migration": ("Freeze", "Platform", 5, 15 * MINUTE, 10 * MINUTE),
    "user-reboot": ("Reboot", "User", -1, 15 * MINUTE, 10 * MINUTE),
    "host-maintenance": ("Reboot", "Platform", -1, 15 * MINUTE, 10 * MINUTE),
    "host-failure": ("Reboot", "Platform", -1, 0, 10 * MINUTE),
    "degraded-hardware": ("Redeploy", "Platform", -1, 7 * DAY, 10 * MINUTE),
    "spot-eviction": ("Preempt", "Platform", -1, 30, 10 * MINUTE),
    "scale-in": ("Terminate", "Platform", -1, 5 * MINUTE, 10 * MINUTE),
}


def make_emulator(**options: Any) -> Emulator:
    """Returns an emulator that does not run, on a frozen clock."""
    return Emulator(clock=Clock(NOW, frozen=True), **options)


def get_statuses(emulator: Emulator) -> list[str]:
    return [event.status for event in emulator.events.events]


def test_every_scenario_is_tested_here() -> None:
    assert set(list_scenarios()) == set(DOCUMENTED)


@pytest.mark.parametrize("speed", [1, 60])
@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_scenario_has_its_documented_timing(name: str, speed: float) -> None:
    kind, source, duration, notice, lasting = DOCUMENTED[name]
    emulator = make_emulator()
    event = emulator.play(name, speed=speed)
    assert (event.event_type, event.source, event.duration) == (kind, source, duration)
    if notice:
        emulator.clock.advance(notice / speed - 0.001)
        assert get_statuses(emulator) == ["Scheduled"]
        emulator.clock.advance(0.001)
    assert get_statuses(emulator) == ["Started"]
    emulator.clock.advance(lasting / speed - 0.001)
    assert get_statuses(emulator) == ["Started"]
    emulator.clock.advance(0.002)
    assert get_statuses(emulator) == []
    assert emulator.events.upcoming == (), "it runs once"


def test_a_restart_by_a_user_has_an_empty_description() -> None:
    assert make_emulator().play("user-reboot").description == ""


def test_a_scenario_can_begin_later_and_speed_does_not_change_that() -> None:
    emulator = make_emulator()
    emulator.play("spot-eviction", after=60, speed=30)
    emulator.clock.advance(59)
    assert get_statuses(emulator) == []
    emulator.clock.advance(1)
    assert get_statuses(emulator) == ["Scheduled"]
    emulator.clock.advance(1)
    assert get_statuses(emulator) == ["Started"]


def test_a_loop_begins_again_a_minute_after_the_end_until_it_is_stopped() -> None:
    emulator = make_emulator()
    emulator.play("spot-eviction", loop=True)
    round_length = 30 + 10 * MINUTE + MINUTE
    for _ in range(3):
        assert get_statuses(emulator) == ["Scheduled"]
        emulator.clock.advance(round_length - 1)
        assert get_statuses(emulator) == []
        emulator.clock.advance(1)
    assert emulator.scenarios.running == ("spot-eviction",)
    assert emulator.scenarios.stop("spot-eviction") == 2, "this event and the next one"
    assert emulator.scenarios.running == ()
    emulator.clock.advance(10 * round_length)
    assert get_statuses(emulator) == []


def test_a_loop_can_be_faster() -> None:
    emulator = make_emulator()
    emulator.play("live-migration", loop=True, speed=60)
    emulator.clock.advance(15 + 10)
    assert get_statuses(emulator) == []
    emulator.clock.advance(1)
    assert get_statuses(emulator) == ["Scheduled"]


def test_stopping_a_scenario_keeps_other_events() -> None:
    emulator = make_emulator()
    other = emulator.schedule("Reboot")
    emulator.play("spot-eviction")
    emulator.play("scale-in")
    assert emulator.scenarios.running == ("spot-eviction", "scale-in")
    emulator.scenarios.stop("spot-eviction")
    assert [event.event_type for event in emulator.events.events] == ["Reboot", "Terminate"]
    assert emulator.events.events[0] is other


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "nonsense"}, "scenario must be one of live-migration, .*, scale-in, got 'nonsense'"),
        ({"name": ["scale-in"]}, "scenario must be one of"),
        ({"name": "scale-in", "speed": 0}, "speed must be a number from 0.001 to 10000, for example 60, got 0"),
        ({"name": "scale-in", "speed": "fast"}, "speed must be a number"),
        ({"name": "scale-in", "speed": float("nan")}, "speed must be a number"),
        ({"name": "scale-in", "speed": True}, "speed must be a number"),
        ({"name": "scale-in", "loop": 1}, "loop must be true or false, got 1"),
        ({"name": "scale-in", "after": -1}, "after must be a number of seconds"),
    ],
)
def test_wrong_arguments_of_a_scenario_are_refused(arguments: dict[str, Any], reason: str) -> None:
    emulator = make_emulator()
    with pytest.raises(ValueError, match=reason):
        emulator.play(**arguments)
    assert (emulator.events.events, emulator.events.upcoming) == ((), ())


# In a file and in the control API


def test_a_file_can_name_scenarios() -> None:
    settings = parse("scenarios:\n- {name: spot-eviction, after: 30, speed: 60, loop: true}\n", "c")
    emulator = make_emulator(settings=settings)
    assert emulator.events.upcoming[0].at == NOW + 30
    with pytest.raises(ConfigError, match="c:2: an entry of scenarios: scenario must be one of live-migration"):
        parse("scenarios:\n- name: nonsense\n", "c")
    with pytest.raises(ConfigError, match="c:2: an entry of scenarios: missing a required argument: 'name'"):
        parse("scenarios:\n- speed: 2\n", "c")


def test_the_control_api_starts_and_stops_scenarios(emulator: Emulator, control: httpx.Client) -> None:
    made = control.post("/api/scenarios", json={"name": "spot-eviction", "speed": 2, "loop": True})
    assert (made.status_code, made.json()["event_type"], made.json()["scenario"]) == (201, "Preempt", "spot-eviction")
    scenarios = control.get("/api/state").json()["scenarios"]
    assert scenarios == {"running": ["spot-eviction"], "known": dict(list_scenarios())}
    assert control.delete("/api/scenarios/spot-eviction").status_code == 200
    assert control.get("/api/state").json()["scenarios"]["running"] == []
    missing = control.delete("/api/scenarios/spot-eviction")
    assert (missing.status_code, missing.json()) == (404, {"error": "scenario spot-eviction is not running"})
    refused = control.post("/api/scenarios", json={"name": "x"})
    assert (refused.status_code, "scenario must be one of" in refused.json()["error"]) == (400, True)


# On the command line


def read(*options: str, **environment: str) -> Any:
    return read_settings(make_parser().parse_args(options), environment)


def test_options_add_events_and_scenarios() -> None:
    settings = read("--event", "Preempt", "--after", "30", "--event", "Reboot", "--scenario", "scale-in")
    assert settings.events == [{"event_type": "Preempt", "after": 30}, {"event_type": "Reboot"}]
    assert settings.scenarios == [{"name": "scale-in"}]
    settings = read("--scenario", "live-migration", "--after", "5", "--speed", "60", "--loop")
    assert settings.scenarios == [{"name": "live-migration", "after": 5, "speed": 60, "loop": True}]
    assert (read().events, read().scenarios) == ([], [])


def test_options_are_added_to_what_the_variables_say() -> None:
    settings = read("--event", "Preempt", AZURE_IMDS_EMULATOR_EVENTS="[{event_type: Freeze}]")
    assert [event["event_type"] for event in settings.events] == ["Freeze", "Preempt"]
    settings = read("--fault", "503", AZURE_IMDS_EMULATOR_FAULTS="[{status: 404}]")
    assert settings.faults == [{"status": 404}, {"status": 503}]


def test_options_add_faults() -> None:
    settings = read("--fault", "404", "--times", "2", "--path", "/metadata/identity", "--fault", "hang", "--after", "5")
    assert settings.faults == [
        {"status": 404, "times": 2, "path": "/metadata/identity"},
        {"hang": True, "after": 5},
    ]
    assert [read("--fault", name).faults for name in PRESETS] == [[{"preset": name}] for name in PRESETS]
    assert (read("--fault", "close").faults, read().faults) == ([{"close": True}], [])


def test_a_fault_of_an_option_affects_the_requests_of_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    code = """
import os, urllib.error, urllib.request
for path in ("versions", "identity/info", "identity/info"):
    url = f"{os.environ['AZURE_POD_IDENTITY_AUTHORITY_HOST']}/metadata/{path}?api-version=2018-02-01"
    try:
        print(urllib.request.urlopen(urllib.request.Request(url, headers={"Metadata": "true"})).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
    options = ("--fault", "418", "--path", "/metadata/identity")
    assert main((*options, "--", sys.executable, "-c", code)) == 0
    assert capfd.readouterr().out.split() == ["200", "418", "200"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ("--after", "30"),
            "--after must follow --event, --scenario or --fault, for example --event Preempt --after 30",
        ),
        (("--speed", "2", "--scenario", "scale-in"), "--speed must follow --scenario, for example --scenario live-"),
        (("--event", "Reboot", "--loop"), "--loop must follow --scenario, for example --scenario spot-eviction --loop"),
        (("--times", "3"), "--times must follow --fault, for example --fault 503 --times 3"),
        (("--event", "Reboot", "--path", "/x"), "--path must follow --fault, for example --fault 404 --path /meta"),
        (("--event", "Explode"), "Invalid value for '--event': 'Explode' is not one of 'Freeze', 'Reboot', "),
    ],
)
def test_options_in_a_wrong_place_are_refused(
    options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    assert read_usage_message(capsys.readouterr().err).startswith(reason)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--event", "Reboot", "--after", "-1"), "'--after': must be a number of seconds of 0 or more, for example 60"),
        (("--scenario", "scale-in", "--speed", "0"), "'--speed': must be a number from 0.001 to 10000, for example 60"),
        (("--fault", "503", "--times", "-1"), "'--times': must be a whole number of 0 or more, for example 3, got -1"),
        (("--fault", "503", "--times", "x"), "'--times': 'x' is not a whole number, for example 3"),
        (("--fault", "404", "--path", "identity"), "'--path': 'identity' does not begin with / or *, for example /met"),
        (("--fault", "199"), "'--fault': '199' is not a status from 200 to 599, or one of 'hang', 'close', 'imds-"),
        (("--fault", "600"), "'--fault': '600' is not a status from 200 to 599, or one of "),
        (("--fault", ""), "'--fault': '' is not a status from 200 to 599, or one of "),
        (("--fault", "٤٠٤"), "'--fault': '٤٠٤' is not a status from 200 to 599, or one of "),
    ],
)
def test_options_with_wrong_values_are_refused(
    options: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    assert read_usage_message(capsys.readouterr().err).startswith(f"Invalid value for {reason}")
