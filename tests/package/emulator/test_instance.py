"""/metadata/instance and /metadata/versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Emulator
from azure_imds_emulator.instance import SINCE
from azure_imds_emulator.versions import NEWER, PUBLISHED
from emulator_support import get_raw

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"


def load_example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def list_paths(node: Any, prefix: str = "") -> set[str]:
    """Returns the path of every field, with [] for the elements of arrays."""
    if isinstance(node, dict):
        return {prefix} | {
            path for key, value in node.items() for path in list_paths(value, f"{prefix}.{key}".strip("."))
        }
    if isinstance(node, list):
        return {path for value in node for path in list_paths(value, f"{prefix}.[]")}
    return {prefix}


def test_versions_are_published_in_ascending_order(http: httpx.Client) -> None:
    assert http.get("/versions").json() == {"apiVersions": sorted(PUBLISHED)}
    assert set(PUBLISHED) - set(NEWER) == set(load_example("versions")["apiVersions"])


def test_a_document_of_2025_is_served_completely(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.instance = load_example("instance-2025-04-07")
    assert http.get("/instance", params={"api-version": "2025-04-07"}).json() == load_example("instance-2025-04-07")


def test_newer_versions_have_the_newer_members(http: httpx.Client) -> None:
    newest = http.get("/instance", params={"api-version": PUBLISHED[-1]}).json()
    assert {"interconnectGroupId", "interconnectSubgroupId", "signatureInfo", "systemFaultDomain"} <= newest[
        "compute"
    ].keys()
    (interface,) = newest["network"]["interface"]
    assert list(interface) == [
        "interfaceCompartmentId",
        "interfaceCompartmentVersion",
        "ipv4",
        "ipv6",
        "macAddress",
    ]
    assert (interface["ipv4"]["ipAddressBlock"], interface["ipv6"]["ipAddressBlock"]) == ([], [])


def test_the_standby_pool_is_in_the_extended_document_earlier(http: httpx.Client) -> None:
    def has_member(version: str, **query: str) -> bool:
        document = http.get("/instance", params={"api-version": version} | query).json()
        return "isVmInStandbyPool" in document["compute"]

    assert has_member("2023-11-15", extended="true")
    assert not has_member("2023-11-15")
    assert not has_member("2023-07-01", extended="true")
    assert has_member(PUBLISHED[-1])


@pytest.mark.parametrize(
    ("version", "name"),
    [("2018-10-01", "instance-2018-10-01"), ("2021-05-01", "instance-minimal-imageless"), ("2023-07-01", "instance")],
)
def test_a_document_has_the_fields_of_its_version_and_no_more(http: httpx.Client, version: str, name: str) -> None:
    served = http.get("/instance", params={"api-version": version}).json()
    expected = {path for path in list_paths(load_example(name)) if path and ".[]" not in path}
    assert {path for path in list_paths(served) if path and ".[]" not in path} == expected


@pytest.mark.parametrize("path", sorted(path for path in SINCE if "[]" not in path))
def test_a_field_appears_with_the_version_that_introduced_it(http: httpx.Client, path: str) -> None:
    first = PUBLISHED.index(SINCE[path])
    addressed = "/instance/" + path.replace(".", "/")
    statuses = [
        http.get(addressed, params={"api-version": version, "format": "text"}).status_code
        for version in PUBLISHED[first - 1 : first + 1]
    ]
    assert statuses == [404, 200]


def test_fields_of_array_elements_have_versions_too(http: httpx.Client) -> None:
    def disk(version: str) -> dict[str, Any]:
        path = "/instance/compute/storageProfile/dataDisks/0"
        found: dict[str, Any] = http.get(path, params={"api-version": version}).json()
        return found

    assert "isUltraDisk" not in disk("2021-03-01")
    assert "isUltraDisk" in disk("2021-05-01")


def test_json_is_compact_with_sorted_keys(emulator: Emulator) -> None:
    head, body = get_raw(emulator, "/metadata/instance?api-version=2025-04-07")
    document = json.loads(body)
    assert body == json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Content-Type: application/json; charset=utf-8" in head
    assert b"Server: IMDS/" in head
    assert b"Date: " in head
    assert b"x-ms-request-id: " in head


def test_the_text_form_of_a_leaf_is_its_value(emulator: Emulator) -> None:
    head, body = get_raw(emulator, "/metadata/instance/compute/location?api-version=2021-02-01&format=text")
    assert body == b"eastus"
    assert b"Content-Type: text/plain" in head


def test_an_empty_leaf_is_an_empty_body(http: httpx.Client) -> None:
    response = http.get("/instance/compute/licenseType", params={"api-version": "2021-02-01", "format": "text"})
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("query", [{}, {"format": "json"}])
def test_a_leaf_has_no_json_form(http: httpx.Client, query: dict[str, str]) -> None:
    response = http.get("/instance/compute/location", params={"api-version": "2021-02-01"} | query)
    assert (response.status_code, response.text) == (400, '{ "error": "Bad request" }')


def test_a_container_in_text_form_lists_its_children(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.instance = load_example("instance-2025-04-07")
    text = {"api-version": "2017-04-02", "format": "text"}
    assert http.get("/instance", params=text).text == "compute/\nnetwork/"
    assert http.get("/instance/network/interface", params=text).text == "0/\n1/"
    compute = http.get("/instance/compute", params=text).text.split("\n")
    assert "location" in compute
    assert compute == sorted(compute)


def test_array_elements_are_addressed_by_index(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.instance = load_example("instance-2025-04-07")
    version = {"api-version": "2017-04-02"}
    address = "/instance/network/interface/1/ipv4/ipAddress/0"
    assert http.get(address, params=version).json() == {
        "privateIpAddress": "10.0.1.4",
        "publicIpAddress": "203.0.113.10",
    }
    assert http.get("/instance/network/interface/1/macAddress", params=version | {"format": "text"}).text
    arrays = http.get("/instance/compute/tagsList", params={"api-version": "2025-04-07"}).json()
    assert arrays[0] == {"name": "Department", "value": "Example"}


@pytest.mark.parametrize(
    "path",
    [
        "compute/identity",
        "network/interface/2",
        "network/interface/-1",
        "network/interface/x",
        "network/interface/٠",
        "Compute",
        "compute//",
        "compute/location/x",
    ],
)
def test_an_unknown_node_gets_the_observed_error(emulator: Emulator, path: str) -> None:
    quoted = httpx.URL("http://x/metadata/instance/" + path).raw_path.decode()
    head, body = get_raw(emulator, f"{quoted}?api-version=2021-02-01")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b'{ "error": "Not found" }'


def test_extended_adds_a_member_for_provisioning_agents(http: httpx.Client) -> None:
    query = {"api-version": "2021-08-01", "extended": "true"}
    served = http.get("/instance", params=query).json()
    assert list(served) == ["compute", "extended", "network"]
    assert served["extended"] == {"compute": {"hasCustomData": False, "ppsType": "None"}}
    assert "extended" not in http.get("/instance", params={"api-version": "2021-08-01"}).json()


def test_the_machine_can_be_changed_while_it_runs(emulator: Emulator, http: httpx.Client) -> None:
    emulator.machine.compute["location"] = "norwayeast"
    emulator.machine.compute["aFieldOfTomorrow"] = "yes"
    served = http.get("/instance", params={"api-version": "2025-04-07"}).json()
    assert served["compute"]["location"] == "norwayeast"
    assert served["compute"]["aFieldOfTomorrow"] == "yes"


def test_two_emulators_are_two_machines() -> None:
    with Emulator() as one, Emulator() as other:
        one.machine.compute["name"] = "one"
        assert other.machine.name != "one"


@pytest.mark.parametrize("version", PUBLISHED)
def test_the_instance_supports_every_published_version(http: httpx.Client, version: str) -> None:
    assert http.get("/instance", params={"api-version": version}).status_code == 200
