"""The emulator against the project's own specification, by requests that nobody thought of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from azure_imds_emulator import Emulator

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")

SPECIFICATION = Path(__file__).parents[3] / "openapi.yaml"
TEXT = ("/instance", "format")


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def specification() -> dict[str, Any]:
    """The contract as it stands, but for one word.

    It describes the whole document, which is JSON, and leaves ``format=text`` to sub-paths, which no OpenAPI path can
    describe; asked for here, text would be an answer of a type that the contract does not know.
    """
    loaded: dict[str, Any] = yaml.safe_load(SPECIFICATION.read_text(encoding="utf-8"))
    path, name = TEXT
    (parameter,) = [each for each in loaded["paths"][path]["get"]["parameters"] if each.get("name") == name]
    parameter["schema"]["enum"].remove("text")
    return loaded


schema = schemathesis.openapi.from_dict(specification())


def checks() -> list[Any]:
    """All of schemathesis' checks but one.

    That a request which fits the contract is accepted cannot be asked: it depends on what the machine carries
    (identities, events), on the versions its host knows, and on parameters that exclude each other. That good requests
    are accepted is what the other tests are about.
    """
    unknowable = schemathesis.checks.CHECKS.get_by_names(["positive_data_acceptance"])
    return [check for check in schemathesis.checks.CHECKS.get_all() if check not in unknowable]


SETTINGS = hypothesis.settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@schema.parametrize()  # type: ignore[untyped-decorator]
@SETTINGS  # type: ignore[untyped-decorator]
def test_every_answer_is_one_that_the_contract_describes(case: Any, running: Emulator) -> None:
    case.call_and_validate(base_url=f"{running.endpoint}/metadata", checks=checks())
