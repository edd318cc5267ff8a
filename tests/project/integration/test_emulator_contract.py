"""The emulator against the OpenAPI document of this project, with requests that schemathesis generates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from azure_imds_emulator import Emulator
from generator.specification import Specification
from support import ROOT

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")

TEXT = ("/instance", "format")


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def specification() -> dict[str, Any]:
    """Returns the operations of IMDS, without the value `text` of the parameter `format`.

    Operations with servers of their own are those of other hosts, which this emulator does not play. The document
    describes the whole /instance, which is JSON. `format=text` is for sub-paths, which OpenAPI cannot describe, so a
    text response has no media type in the document.
    """
    loaded = Specification.load(ROOT / "openapi.yaml").document
    loaded["paths"] = {path: item for path, item in loaded["paths"].items() if "servers" not in item}
    path, name = TEXT
    (parameter,) = [each for each in loaded["paths"][path]["get"]["parameters"] if each.get("name") == name]
    parameter["schema"]["enum"].remove("text")
    return loaded


schema = schemathesis.openapi.from_dict(specification())


def checks() -> list[Any]:
    """Returns all checks of schemathesis except `positive_data_acceptance`.

    Whether the emulator accepts a request that matches the document also depends on the machine (identities, events),
    on the supported api-versions, and on parameters that exclude each other. Other tests check that valid requests are
    accepted.
    """
    excluded = schemathesis.checks.CHECKS.get_by_names(["positive_data_acceptance"])
    return [check for check in schemathesis.checks.CHECKS.get_all() if check not in excluded]


SETTINGS = hypothesis.settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@schema.parametrize()  # type: ignore[untyped-decorator]
@SETTINGS  # type: ignore[untyped-decorator]
def test_the_openapi_document_describes_every_response(case: Any, running: Emulator) -> None:
    case.call_and_validate(base_url=f"{running.endpoint}/metadata", checks=checks())
