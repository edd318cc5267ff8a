"""The emulator serves the operations that it claims to serve."""

from __future__ import annotations

import json

import httpx
import pytest

from azure_imds_emulator import Emulator
from azure_imds_emulator.operations import BASE, SERVED, is_served
from emulator_support import make_client_for

#: The parameters that requests need, whatever their path. IMDS ignores those that it does not know.
QUERY = {"api-version": "2020-10-01", "resource": "https://vault.azure.net"}


@pytest.mark.parametrize(("method", "path"), [(method, path) for path in SERVED for method in SERVED[path]])
def test_what_it_claims_to_serve_is_served(method: str, path: str) -> None:
    with Emulator(machine="confidential") as emulator, make_client_for(emulator) as http:
        event = emulator.schedule("Freeze")
        version = {"api-version": "2020-07-01"} if path.endswith("/scheduledevents") else {}
        body = json.dumps({"StartRequests": [{"EventId": event.event_id}]}) if method == "POST" else None
        response = http.request(method, path.removeprefix(BASE), params=QUERY | version, content=body)
    assert (response.status_code, response.headers["Content-Type"].partition(";")[0]) == (200, "application/json")
    assert response.json()


def test_what_it_does_not_claim_to_serve_is_not(http: httpx.Client) -> None:
    assert http.get("/clock").status_code == 404
    assert http.delete("/versions").status_code == 405


@pytest.mark.parametrize(
    ("method", "path", "served"),
    [("get", "/versions", True), ("post", "/scheduledevents", True), ("put", "/versions", False), ("get", "/x", False)],
)
def test_a_contract_names_operations_without_the_path_of_the_server(method: str, path: str, served: bool) -> None:
    assert is_served(method, path) is served
