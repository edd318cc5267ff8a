"""The installed command at a terminal."""

from __future__ import annotations

import re
import signal

import pytest
from rich.style import Style

from azure_imds._cli import views
from azure_imds._cli.exits import Exit
from azure_imds._cli.views import BAD, GOOD, NAME, WARN
from azure_imds_emulator import Emulator
from cli_support import Terminal, run, run_at_terminal

RESOURCE = "https://vault.azure.net"


def test_a_token_is_described_and_not_shown(emulator: Emulator) -> None:
    done = run_at_terminal("token", RESOURCE)
    assert done.status == 0
    assert "Claims" in done.words
    assert emulator.machine.tenant_id in done.words
    assert "to print it, use --raw" in done.words
    assert "eyJ" not in done.out


def test_a_token_is_printed_when_asked_for(emulator: Emulator) -> None:
    done = run_at_terminal("token", RESOURCE, "--raw", columns=200)
    assert done.words.startswith("eyJ")
    assert len(done.words.split()) == 1


@pytest.mark.parametrize("options", [["--output", "json"], ["--query", "access_token"], ["--output", "text"]])
def test_a_token_in_another_form_is_masked_at_a_terminal(options: list[str], emulator: Emulator) -> None:
    done = run_at_terminal("token", RESOURCE, *options)
    assert "********" in done.words
    assert "eyJ" not in done.out


def test_a_view_has_colours(emulator: Emulator) -> None:
    assert run_at_terminal("instance", "compute").coloured


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "TERM=dumb"])
def test_colours_are_left_out_where_they_are_not_wanted(variables: dict[str, str], emulator: Emulator) -> None:
    done = run_at_terminal("instance", "compute", **variables)
    assert "eastus" in done.words
    assert "\x1b[3" not in done.out


def test_piped_there_are_no_colours(emulator: Emulator) -> None:
    assert "\x1b" not in run("doctor", "--output", "table").out


@pytest.mark.parametrize("arguments", [["instance"], ["events"]], ids=" ".join)
def test_a_narrow_terminal_is_not_overrun(arguments: list[str], emulator: Emulator) -> None:
    emulator.schedule("Reboot", notice=600)
    done = run_at_terminal(*arguments, columns=50, NO_COLOR="1", TERM="dumb")
    assert done.status == 0
    assert max(len(line) for line in done.out.splitlines()) <= 50


def test_nothing_is_cut_off_at_a_narrow_terminal(emulator: Emulator) -> None:
    event = emulator.schedule("Reboot", notice=600)
    done = run_at_terminal("events", columns=60, NO_COLOR="1", TERM="dumb")
    assert event.event_id[:8] in done.out
    assert "…" not in done.out


def test_a_leaf_is_bare_at_a_terminal_too(emulator: Emulator) -> None:
    assert run_at_terminal("instance", "compute/location").out == "eastus\r\n"


@pytest.mark.parametrize(
    "options", [[], ["--output", "json"], ["--output", "text"], ["--query", "compute/name"]], ids=str
)
def test_a_value_cannot_send_commands_to_the_terminal(options: list[str], emulator: Emulator) -> None:
    emulator.fail(path="/metadata/instance", body={"compute": {"name": "vm\x1b]0;owned\x07\x9b31m"}})
    done = run_at_terminal("instance", *options, NO_COLOR="1")
    assert "vm" in done.out
    assert not {"\x1b]", "\x07", "\x9b"} & {*done.out, *(done.out[i : i + 2] for i in range(len(done.out)))}


def test_the_doctor_has_a_line_for_each_check_and_a_summary(emulator: Emulator) -> None:
    words = run_at_terminal("doctor", columns=200).words
    assert "pass token" in words
    assert words.endswith("1 skip")


def test_help_has_the_specification_s_words() -> None:
    words = run_at_terminal("token", "--help", columns=200).words
    assert "Get an access token for a managed identity" in words
    assert "App ID URI of the service that the token is for" in words
    assert "Client (application) id of a user-assigned identity of this machine." in words


def test_the_list_of_commands_has_the_specification_s_words() -> None:
    done = run("--help")
    for words in (
        "Describe this virtual machine",
        "List the API versions that this host supports",
        "Run a local IMDS for development and tests",
    ):
        assert words in done.out


def test_a_retry_is_shown_while_the_command_waits(emulator: Emulator) -> None:
    emulator.fail(410, times=10)
    with Terminal("versions") as terminal:
        terminal.read_until("versions.get_versions: 410; waiting 5.")
        terminal.interrupt()
        done = terminal.end()
    assert done.status == Exit.INTERRUPTED
    assert "Traceback" not in done.out


def test_a_long_wait_is_shown(emulator: Emulator) -> None:
    emulator.fail(hang=True)
    with Terminal("versions") as terminal:
        terminal.read_until("waiting for IMDS")
        terminal.interrupt()
        assert terminal.end().status == Exit.INTERRUPTED


@pytest.mark.parametrize("arguments", [["versions"], ["events", "--watch"]], ids=" ".join)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_a_signal_that_ends_the_command_leaves_a_cursor(
    number: signal.Signals, arguments: list[str], emulator: Emulator
) -> None:
    emulator.fail(hang=True)
    with Terminal(*arguments) as terminal:
        while "\x1b[?25l" not in terminal.so_far.out:
            terminal.read_more()
        terminal.process.send_signal(number)
        done = terminal.end()
    assert done.status == -number
    assert done.out.endswith("\x1b[?25h")


def test_a_stopped_command_leaves_a_cursor_and_goes_on(emulator: Emulator) -> None:
    emulator.fail(hang=True)
    with Terminal("versions") as terminal:
        terminal.read_until("waiting for IMDS")
        # The system does not stop a process without a shell, so it goes on at once.
        for _ in range(2):
            seen = terminal.so_far.out.count("\x1b[?25h")
            terminal.process.send_signal(signal.SIGTSTP)
            while terminal.so_far.out.count("\x1b[?25h") == seen:
                terminal.read_more()
        terminal.interrupt()
        assert terminal.end().status == Exit.INTERRUPTED


def test_a_dumb_terminal_gets_no_animation(emulator: Emulator) -> None:
    emulator.fail(hang=True)
    done = run_at_terminal("versions", "--deadline", "0.8", TERM="dumb")
    assert done.status == Exit.TEMPFAIL
    assert "waiting for IMDS" not in done.out


def test_an_error_is_readable_at_a_terminal(emulator: Emulator) -> None:
    done = run_at_terminal("instance", "compute/nothing", columns=200)
    assert done.status == Exit.NOINPUT
    assert done.out.startswith("azure-imds: IMDS answered 404")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.9, "59 s"), (61, "1 min 01 s"), (3660, "1 h 01 min"), (90_000, "1 d 1 h"), (864_000, "10 d 0 h")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert views.format_duration(seconds) == words


def test_a_time_has_its_distance_from_now() -> None:
    assert views.format_time(1000, now=900) == "1970-01-01 00:16:40 UTC, in 1 min 40 s"
    assert views.format_time(1000, now=1005) == "1970-01-01 00:16:40 UTC, 5 s ago"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"EventStatus": "Started", "NotBefore": ""}, "has started"),
        ({"EventStatus": "Scheduled", "NotBefore": ""}, "unknown"),
        ({"EventStatus": "Scheduled", "NotBefore": "Thu, 01 Jan 1970 00:02:00 GMT"}, "in 1 min 00 s"),
        ({"EventStatus": "Scheduled", "NotBefore": "1970-01-01T00:02:00Z"}, "in 1 min 00 s"),
        ({"EventStatus": "Scheduled", "NotBefore": "Thu, 01 Jan 1970 00:00:59 GMT"}, "any moment"),
    ],
)
def test_an_event_has_the_time_until_it_starts(event: dict[str, str], words: str) -> None:
    assert views.format_start(event, now=60).plain.partition("\n")[0] == words


def test_a_path_is_broken_before_its_slashes(emulator: Emulator) -> None:
    done = run_at_terminal("instance", "compute/storageProfile/osDisk/managedDisk", NO_COLOR="1")
    lines = [line.strip() for line in done.out.splitlines() if "/" in line]
    resource = run("instance", "compute/storageProfile/osDisk/managedDisk", "--query", "id").out.strip()
    first, *more = lines
    assert first.removeprefix("id").strip() + "".join(more) == resource
    assert more
    assert all(line.startswith("/") for line in more)


def test_a_message_is_broken_between_words(emulator: Emulator) -> None:
    arguments = ["token", RESOURCE, "--client-id", "00000000-0000-0000-0000-00000000dead"]
    done = run_at_terminal(*arguments, columns=60)
    one_line = run(*arguments).err
    assert re.sub(r"[\d.]+ s\)", "", done.words) == re.sub(r"[\d.]+ s\)", "", " ".join(one_line.split()))
    lines = done.out.splitlines()
    assert len(lines) > 3
    assert all(len(line) <= 60 or " " not in line for line in lines)


def test_headings_of_help_are_bold_unless_the_user_wants_no_colours() -> None:
    for arguments in (["wait", "-h"], ["emulator", "-h"], []):
        assert "\x1b[1mUsage:\x1b[0m " in run_at_terminal(*arguments).out
        assert not run_at_terminal(*arguments, NO_COLOR="1").coloured
        assert "\x1b" not in run(*arguments).out + run(*arguments).err


def test_colours_can_be_read_on_white_and_on_black() -> None:
    """The contrast of a colour to both backgrounds, as WCAG defines it."""
    for style in (NAME, GOOD, WARN, BAD):
        colour = Style.parse(style).color
        assert colour is not None
        channels = [channel / 255 for channel in colour.get_truecolor()]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) > 3
        assert (luminance + 0.05) / 0.05 > 3
