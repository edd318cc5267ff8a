"""What is refused before anything is answered."""

from __future__ import annotations

import httpx
import pytest

from azure_imds_emulator import Emulator
from emulator_support import exchange, plain_client, raw_get

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
NEWEST = ["2025-04-07", "2024-07-17", "2024-03-15"]


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_the_metadata_header_opens_every_endpoint(emulator: Emulator, path: str, value: str) -> None:
    url = f"{emulator.endpoint}/metadata{path}"
    with plain_client() as client:
        assert client.get(url, params=ENDPOINTS[path], headers={"Metadata": value}).status_code == 200
        assert client.get(url, params=ENDPOINTS[path], headers={"metadata": value}).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("headers", [{}, {"Metadata": "false"}, {"Metadata": ""}])
def test_without_the_header_every_endpoint_refuses(emulator: Emulator, path: str, headers: dict[str, str]) -> None:
    with plain_client() as client:
        answer = client.get(f"{emulator.endpoint}/metadata{path}", params=ENDPOINTS[path], headers=headers)
    assert answer.status_code == 400
    if path.startswith("/identity"):
        assert len(answer.content) == 88


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_forwarded_request_is_refused(http: httpx.Client, path: str) -> None:
    assert http.get(path, params=ENDPOINTS[path], headers={"X-Forwarded-For": ""}).status_code == 400


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "POST"])
def test_other_methods_are_not_allowed(emulator: Emulator, http: httpx.Client, path: str, method: str) -> None:
    if (path, method) == ("/scheduledevents", "POST"):
        return
    answer = http.request(method, path, params=ENDPOINTS[path])
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert http.get(path, params=ENDPOINTS[path]).status_code == 200, "the connection is still in step"


@pytest.mark.parametrize("path", VERSIONED)
def test_a_query_name_given_twice_is_refused(http: httpx.Client, path: str) -> None:
    query = httpx.QueryParams([*ENDPOINTS[path].items(), ("api-version", ENDPOINTS[path]["api-version"])])
    assert http.get(path, params=query).status_code == 400


@pytest.mark.parametrize("version", ["", "2017-01-01", "2020-07-01", "latest", "2025-04-07 "])
def test_a_bad_version_is_answered_with_the_three_newest(http: httpx.Client, version: str) -> None:
    for query in ({"api-version": version}, {}):
        answer = http.get("/instance", params=query)
        assert answer.status_code == 400
        assert answer.json()["newest-versions"] == NEWEST
        assert answer.json()["error"].startswith("Bad request. api-version is invalid or was not specified")


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


def test_identity_refuses_in_its_own_envelope(http: httpx.Client) -> None:
    for query in ({}, {"api-version": "2018-02-01"}, {"api-version": "1", "resource": "https://vault.azure.net"}):
        body = http.get("/identity/oauth2/token", params=query).json()
        assert set(body) == {"error", "error_description"}
        assert body["error"] == "invalid_request"


def test_the_preview_of_scheduled_events_did_not_ask_for_the_header(emulator: Emulator) -> None:
    url = f"{emulator.endpoint}/metadata/scheduledevents"
    with plain_client() as client:
        assert client.get(url, params={"api-version": "2017-03-01"}).status_code == 200
        assert client.get(url, params={"api-version": "2017-08-01"}).status_code == 400


@pytest.mark.parametrize("path", ["/metadata", "/metadata/", "/", "/metadata/nothing", "/metadata/attested", "/latest"])
def test_a_path_that_nobody_serves_is_not_found(emulator: Emulator, path: str) -> None:
    head, body = raw_get(emulator, path)
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b'{"error":"Not Found"}'


def test_the_newer_credential_flow_is_absent_even_for_a_probe_without_the_header(emulator: Emulator) -> None:
    url = f"{emulator.endpoint}/metadata/identity/getplatformmetadata?cred-api-version=2.0"
    with plain_client() as client:
        assert client.get(url).status_code == 404


def test_what_is_not_http_is_answered_like_the_service(emulator: Emulator) -> None:
    answer = exchange(emulator, b"no http at all\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Server: IMDS/" in answer
    assert b"aiohttp" not in answer


def test_an_oversized_parameter_is_refused_in_words_of_the_endpoint(http: httpx.Client) -> None:
    long = {"x": "y" * 9000}
    assert http.get("/instance", params=ENDPOINTS["/instance"] | long).json() == {"error": "Bad request"}
    assert http.get("/loadbalancer", params=ENDPOINTS["/loadbalancer"] | long).status_code == 400


def test_unknown_headers_and_parameters_are_ignored(http: httpx.Client) -> None:
    answer = http.get("/versions", params={"format": "json"}, headers={"x-ms-client-request-id": "1"})
    assert answer.status_code == 200


def test_a_request_in_proxy_form_is_read_by_its_path(emulator: Emulator) -> None:
    head, _ = raw_get(emulator, "http://169.254.169.254/metadata/versions")
    assert head.startswith(b"HTTP/1.1 200 ")


def test_no_cookie_and_no_redirect_is_ever_given(http: httpx.Client) -> None:
    for path, query in ENDPOINTS.items():
        headers = http.get(path, params=query).headers
        assert "set-cookie" not in headers
        assert "location" not in headers
