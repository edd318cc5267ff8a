"""Tags and user data of the machine, decoded."""

from __future__ import annotations

import base64

import pytest

from azure_imds_emulator import Emulator
from cli_support import Run, run_at_terminal


def test_tags_are_printed_by_name(call: Run, emulator: Emulator) -> None:
    tags = {tag["name"]: tag["value"] for tag in call("instance", "compute/tagsList", "-o", "json").json}
    assert call("instance", "tags").json == tags
    assert call("instance", "tags", "-q", "Department").out == "Example\n"


@pytest.mark.parametrize("content", [b"#cloud-config\n", b"", b"no end of line", "größe".encode()])
def test_user_data_is_printed_as_it_is(content: bytes, call: Run, emulator: Emulator) -> None:
    emulator.machine.compute["userData"] = base64.b64encode(content).decode()
    done = call("instance", "user-data")
    assert (done.status, done.out.encode(), done.err) == (0, content, "")
    assert call("instance", "user-data", "-o", "json").json == content.decode()


def test_a_terminal_gets_no_control_characters_of_user_data(emulator: Emulator) -> None:
    emulator.machine.compute["userData"] = base64.b64encode(b"a\x1b[31mb\xff").decode()
    done = run_at_terminal("instance", "user-data")
    assert done.status == 0
    assert "\x1b" not in done.out
    assert "[31mb" in done.out


def test_user_data_that_is_not_base64_is_an_error(call: Run, emulator: Emulator) -> None:
    emulator.machine.compute["userData"] = "?"
    done = call("instance", "user-data")
    assert (done.status, done.out) == (76, "")
