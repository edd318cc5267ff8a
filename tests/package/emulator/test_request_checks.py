"""The checks that every request has to pass, and their errors."""

from __future__ import annotations

import httpx
import pytest

from azure_imds_emulator import Emulator
from emulator_support import exchange, get_raw, make_client

ENDPOINTS = {
    "/versions": {},
    "/instance": {"api-version": "2021-02-01"},
    "/attested/document": {"api-version": "2021-02-01"},
    "/identity/oauth2/token": {"api-version": "2018-02-01", "resource": "https://vault.azure.net"},
    "/identity/info": {"api-version": "2018-02-01"},
    "/scheduledevents": {"api-version": "2020-07-01"},
    "/loadbalancer": {"api-version": "2020-10-01"},
}
VERSIONED = [path for path in ENDPOINTS if path != "/versions"]
NEWEST = ["2025-11-15", "2025-11-11", "2025-07-24"]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_accepts_the_metadata_header(emulator: Emulator, path: str) -> None:
    url = f"{emulator.endpoint}/metadata{path}"
    with make_client() as client:
        for name in ("Metadata", "metadata", "METADATA"):
            assert client.get(url, params=ENDPOINTS[path], headers={name: "true"}).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("value", ["True", "TRUE"])
def test_the_case_of_the_metadata_header_can_be_ignored(path: str, value: str) -> None:
    with Emulator(metadata_header="any") as emulator, make_client() as client:
        url = f"{emulator.endpoint}/metadata{path}"
        assert client.get(url, params=ENDPOINTS[path], headers={"Metadata": value}).status_code == 200
        assert client.get(url, params=ENDPOINTS[path], headers={"Metadata": "false"}).status_code == 400


def test_an_arc_agent_accepts_any_case_of_the_metadata_header() -> None:
    query = {"api-version": "2020-06-01"}
    for options, expected in (({}, 200), ({"metadata_header": "exact"}, 400)):
        with Emulator(arc=True, **options) as emulator, make_client() as client:  # type: ignore[arg-type]
            url = f"{emulator.endpoint}/metadata/instance"
            assert client.get(url, params=query, headers={"Metadata": "True"}).status_code == expected


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("headers", [{}, {"Metadata": "false"}, {"Metadata": ""}, {"Metadata": "True"}])
def test_every_endpoint_requires_the_metadata_header(emulator: Emulator, path: str, headers: dict[str, str]) -> None:
    with make_client() as client:
        response = client.get(f"{emulator.endpoint}/metadata{path}", params=ENDPOINTS[path], headers=headers)
    assert response.status_code == 400
    if path.startswith("/identity"):
        assert len(response.content) == 88
    elif path in ("/versions", "/instance"):
        assert response.content == b'{ "error": "Bad request: . Required metadata header not specified" }'


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_forwarded_request_is_refused(http: httpx.Client, path: str) -> None:
    assert http.get(path, params=ENDPOINTS[path], headers={"X-Forwarded-For": ""}).status_code == 400


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "POST"])
def test_other_methods_are_not_allowed(emulator: Emulator, http: httpx.Client, path: str, method: str) -> None:
    if (path, method) == ("/scheduledevents", "POST"):
        return
    response = http.request(method, path, params=ENDPOINTS[path])
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert http.get(path, params=ENDPOINTS[path]).status_code == 200, "the connection is still usable"


@pytest.mark.parametrize("path", VERSIONED)
def test_a_duplicate_query_parameter_is_refused(http: httpx.Client, path: str) -> None:
    query = httpx.QueryParams([*ENDPOINTS[path].items(), ("api-version", ENDPOINTS[path]["api-version"])])
    assert http.get(path, params=query).status_code == 400


@pytest.mark.parametrize("version", ["", "2017-01-01", "2020-07-01", "latest", "2025-04-07 "])
def test_the_error_for_a_wrong_version_lists_the_three_newest(http: httpx.Client, version: str) -> None:
    for query in ({"api-version": version}, {}):
        response = http.get("/instance", params=query)
        assert response.status_code == 400
        assert response.json()["newest-versions"] == NEWEST
        assert response.json()["error"].startswith("Bad request. api-version is invalid or was not specified")


@pytest.mark.parametrize(
    ("path", "too_old", "first"),
    [
        ("/identity/oauth2/token", "2017-12-01", "2018-02-01"),
        ("/identity/info", "2017-12-01", "2018-02-01"),
        ("/attested/document", "2018-04-02", "2018-10-01"),
        ("/loadbalancer", "2020-09-01", "2020-10-01"),
        ("/scheduledevents", "2025-04-07", "2020-07-01"),
    ],
)
def test_each_endpoint_has_its_own_versions(http: httpx.Client, path: str, too_old: str, first: str) -> None:
    query = ENDPOINTS[path]
    assert http.get(path, params=query | {"api-version": too_old}).status_code == 400
    assert http.get(path, params=query | {"api-version": first}).status_code == 200
    assert http.get(path, params={name: value for name, value in query.items() if name != "api-version"}).is_error


def test_identity_has_its_own_error_format(http: httpx.Client) -> None:
    for query in ({}, {"api-version": "2018-02-01"}, {"api-version": "1", "resource": "https://vault.azure.net"}):
        body = http.get("/identity/oauth2/token", params=query).json()
        assert set(body) == {"error", "error_description"}
        assert body["error"] == "invalid_request"


def test_the_preview_of_scheduled_events_does_not_require_the_header(emulator: Emulator) -> None:
    url = f"{emulator.endpoint}/metadata/scheduledevents"
    with make_client() as client:
        assert client.get(url, params={"api-version": "2017-03-01"}).status_code == 200
        assert client.get(url, params={"api-version": "2017-08-01"}).status_code == 400


@pytest.mark.parametrize("path", ["/metadata", "/metadata/", "/metadata/nothing", "/metadata/attested"])
def test_an_unknown_path_is_not_found(emulator: Emulator, path: str) -> None:
    head, body = get_raw(emulator, path)
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b'{"error":"Not Found"}'


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("path", ["/", "/latest/api/token", "/metadataX", "/computeMetadata/v1/", "/openstack"])
def test_paths_outside_metadata_are_answered_by_the_web_server_in_front(
    emulator: Emulator, method: str, path: str
) -> None:
    head, body = get_raw(emulator, path, method=method)
    assert head.startswith(b"HTTP/1.1 404 ")
    assert head.count(b"Server: ") == 1
    assert b"\r\nServer: Microsoft-IIS/10.0\r\n" in head + b"\r\n"
    assert body == b""


def test_an_arc_agent_has_no_web_server_in_front() -> None:
    with Emulator(arc=True) as emulator:
        assert b"Server: IMDS/" in get_raw(emulator, "/latest")[0]


def test_a_probe_for_the_newer_credential_flow_is_not_found(emulator: Emulator) -> None:
    url = f"{emulator.endpoint}/metadata/identity/getplatformmetadata?cred-api-version=2.0"
    with make_client() as client:
        assert client.get(url).status_code == 404


def test_invalid_http_gets_a_400_with_the_headers_of_the_service(emulator: Emulator) -> None:
    response = exchange(emulator, b"no http at all\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"Server: IMDS/" in response
    assert b"aiohttp" not in response


def test_a_parameter_that_is_too_long_gets_the_error_of_the_endpoint(http: httpx.Client) -> None:
    long = {"x": "y" * 9000}
    assert http.get("/instance", params=ENDPOINTS["/instance"] | long).json() == {"error": "Bad request"}
    assert http.get("/loadbalancer", params=ENDPOINTS["/loadbalancer"] | long).status_code == 400


def test_unknown_headers_and_parameters_are_ignored(http: httpx.Client) -> None:
    response = http.get("/versions", params={"format": "json"}, headers={"x-ms-client-request-id": "1"})
    assert response.status_code == 200


def test_the_target_can_be_an_absolute_url(emulator: Emulator) -> None:
    head, _ = get_raw(emulator, "http://169.254.169.254/metadata/versions")
    assert head.startswith(b"HTTP/1.1 200 ")


def test_no_response_has_a_cookie_or_a_redirect(http: httpx.Client) -> None:
    for path, query in ENDPOINTS.items():
        headers = http.get(path, params=query).headers
        assert "set-cookie" not in headers
        assert "location" not in headers
