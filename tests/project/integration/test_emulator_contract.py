"""The emulator against the OpenAPI document of this project, with requests that schemathesis generates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from azure_imds_emulator import Emulator
from azure_imds_emulator.operations import is_served
from generator.specification import METHODS, Specification
from support import ROOT

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def specification() -> dict[str, Any]:
    """Returns the operations that the emulator of a virtual machine serves. `make update` reports the others.

    They are without values that only low-level functions take, such as `text` of the parameter `format`: the document
    describes the whole /instance, which is JSON. `format=text` is for sub-paths, which OpenAPI cannot describe, so a
    text response has no media type in the document.
    """
    contract = Specification.load(ROOT / "openapi.yaml")
    served: dict[str, dict[str, Any]] = {}
    for operation in contract.operations():
        item = contract.document["paths"][operation.path]
        if is_served(operation.method, operation.path) and "servers" not in item:
            shared = {key: value for key, value in item.items() if key not in METHODS}
            served.setdefault(operation.path, shared)[operation.method] = operation.data
            for parameter in operation.data.get("parameters", ()):
                for value in parameter.get("x-low-level-only", ()):
                    parameter["schema"]["enum"].remove(value)
    return {**contract.document, "paths": served}


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
