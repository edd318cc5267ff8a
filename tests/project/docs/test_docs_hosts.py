"""The pages about hosts of managed identities agree with openapi.yaml, and their example of a host is valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from docs_support import DOCS, find_blocks
from generator import lint
from generator.reader import parse
from generator.specification import Specification
from generator.stand_ins import server_name, server_places
from maintenance_support import edited
from support import ROOT

SPECIFICATION = Specification.load(ROOT / "openapi.yaml")
PAGE = (DOCS / "hosts.md").read_text(encoding="utf-8")

#: The hosts in the order in which a program looks for them. The one that needs no variable is last.
SERVERS = sorted((server for _, server in server_places(SPECIFICATION)), key=lambda server: "x-when" not in server)


def rows(heading: str) -> list[tuple[str, str]]:
    """The names in the first cell of each row below a heading, and the whole row."""
    table = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return [(name, line) for line in lines for name in re.findall(r"`([\w-]+)`", line.split("|")[1])]


def test_the_table_has_every_host_in_the_order_of_detection() -> None:
    assert [name for name, _ in rows("Which host this is")] == [server_name(server) for server in SERVERS]


@pytest.mark.parametrize("server", SERVERS, ids=server_name)
def test_the_table_names_the_variables_by_which_a_host_is_recognized(server: dict[str, Any]) -> None:
    when = server.get("x-when", {})
    cell = dict(rows("Which host this is"))[server_name(server)].split("|")[3]
    assert {*re.findall(r"`([A-Z_]+)`", cell)} == {*when.get("set", ()), *when.get("unset", ())}


def test_what_is_special_is_told_for_every_host_that_answers() -> None:
    assert {name for name, _ in rows("What is special")} == {
        server_name(server) for server in SERVERS if "x-refused" not in server
    }


def guide_of(server: dict[str, Any]) -> Path:
    link = re.search(r"\]\(([\w/.-]+)", dict(rows("Which host this is"))[server_name(server)])
    assert link
    return DOCS / link[1]


@pytest.mark.parametrize("server", [server for server in SERVERS if "x-url" in server], ids=server_name)
def test_the_guide_of_a_host_explains_its_variables(server: dict[str, Any]) -> None:
    guide = guide_of(server).read_text(encoding="utf-8")
    assert [name for name in server["x-variables"] if f"`{name}`" not in guide and name not in PAGE] == []
    assert server_name(server) == "app-service-2017" or f'Emulator(host="{server_name(server)}"' in guide


def test_every_difference_from_other_libraries_has_a_test() -> None:
    table = PAGE.partition("\n## What differs from azure-identity and msal\n")[2].partition("\n## ")[0]
    tests = (ROOT / "tests" / "project" / "integration" / "test_hosts_faults.py").read_text(encoding="utf-8")
    numbers = sorted(map(int, re.findall(r"^def test_(\d+)_", tests, re.MULTILINE)))
    assert numbers == [*range(1, len(re.findall(r"^\| ", table, re.MULTILINE)) - 1)]


def test_the_example_of_a_new_host_is_valid() -> None:
    [block] = find_blocks(DOCS / "design" / "hosts.md", "yaml")
    example = parse(block.text).plain()
    assert "example-cloud" in str(example)
    lint.check(Specification(edited(lambda document: document["paths"].update(example))))
