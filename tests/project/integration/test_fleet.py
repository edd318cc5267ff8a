"""The simulation of a fleet (docs/fleet.md), with few machines. The page has the figures of a large one."""

from __future__ import annotations

import re

import pytest
from integration import parts

from docs_support import DOCS

parts.module("distributed")

from benchmarks import fleet  # noqa: E402

pytestmark = pytest.mark.integration

MACHINES = 10


@pytest.fixture(scope="module")
def simulated() -> fleet.Fleet:
    # With much notice: a busy computer needs longer.
    return fleet.simulate(MACHINES, notice=3600)


def test_the_inventory_is_one_request_to_each_imds(simulated: fleet.Fleet) -> None:
    assert simulated.inventory_requests == [1] * MACHINES


def test_a_token_is_one_request_to_each_imds(simulated: fleet.Fleet) -> None:
    assert simulated.token_requests == [1] * MACHINES


def test_each_machine_polls_at_the_interval(simulated: fleet.Fleet) -> None:
    # Less often on a busy computer.
    assert all(0 < polls <= 1.1 / fleet.INTERVAL for polls in simulated.polls)


def test_the_drain_loses_and_repeats_no_task_and_approves_once(simulated: fleet.Fleet) -> None:
    assert simulated.approvals == [1]
    assert sorted(simulated.results) == list(range(fleet.TASKS * MACHINES))
    assert set(simulated.starts.values()) == {1}


def test_the_page_has_every_figure(simulated: fleet.Fleet) -> None:
    def find_rows(text: str) -> list[str]:
        return re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)

    assert find_rows(fleet.RESULTS.read_text(encoding="utf-8")) == find_rows(fleet.as_markdown([simulated]))
    assert find_rows(fleet.EXTRAPOLATION.read_text(encoding="utf-8")) == find_rows(fleet.as_extrapolation(simulated))
    page = (DOCS / "fleet.md").read_text(encoding="utf-8")
    assert all(f'--8<-- "docs/benchmarks/{file.name}"' in page for file in (fleet.RESULTS, fleet.EXTRAPOLATION))
