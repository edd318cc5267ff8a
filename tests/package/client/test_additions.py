"""`with_options(headers=, params=)`: what a program adds to every request."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from azure_imds import AsyncImdsClient, ImdsClient, ImdsCredential, ImdsValidationError
from azure_imds_api.api.hosts import APP_SERVICE_GET_TOKEN, WORKLOAD_IDENTITY_GET_TOKEN
from azure_imds_api.api.identity import IDENTITY_GET_TOKEN
from azure_imds_api.api.instances import INSTANCES_GET_METADATA
from support import Colour, FakeClock, Script, answer, example, get_token, ok

HEADERS = {"x-ms-correlation-request-id": "7f3c"}
PARAMS = {"feature": "preview"}


def sent(colour: Colour, *answers: Any, action: Callable[[Any], Any] = get_token, **options: Any) -> httpx.Request:
    """The last request of a sibling with these options."""
    script = Script(*(answers or (ok(),)))
    colour.run(lambda imds: action(imds.with_options(**options)), transport=script, clock=FakeClock())
    return script.requests[-1]


def test_headers_are_added(colour: Colour) -> None:
    request = sent(colour, headers=HEADERS)
    assert request.headers["x-ms-correlation-request-id"] == "7f3c"
    assert request.headers.get_list("metadata") == ["true"]


def test_parameters_are_added(colour: Colour) -> None:
    request = sent(colour, params=PARAMS)
    assert request.url.params["feature"] == "preview"
    assert request.url.params["resource"] == "https://vault.azure.net"


def test_the_user_agent_can_be_replaced(colour: Colour) -> None:
    assert sent(colour, headers={"user-AGENT": "app/1"}).headers.get_list("user-agent") == ["app/1"]


def test_values_are_encoded(colour: Colour) -> None:
    request = sent(colour, params={"feature": "a&client_id=b#c"})
    assert request.url.params["feature"] == "a&client_id=b#c"
    assert "client_id" not in request.url.params


class Feature(str, Enum):  # noqa: UP042 - a StrEnum has no other text than its value
    NAME = "feature"
    PREVIEW = "preview"


@pytest.mark.parametrize("setting", ["headers", "params"])
def test_members_of_an_enum_are_sent_as_their_values(setting: str, colour: Colour) -> None:
    request = sent(colour, **{setting: {Feature.NAME: Feature.PREVIEW}})
    assert (request.headers if setting == "headers" else request.url.params)["feature"] == "preview"


def test_nodes_get_them_too(colour: Colour) -> None:
    request = sent(
        colour, answer(200, {"a": 1}), action=lambda imds: imds.get("compute"), headers=HEADERS, params=PARAMS
    )
    assert request.url.params["feature"] == "preview"
    assert "x-ms-correlation-request-id" in request.headers


def test_each_attempt_has_them(colour: Colour) -> None:
    script = Script(answer(503, {"error": "x"}), ok())
    colour.run(
        lambda imds: get_token(imds.with_options(headers=HEADERS, params=PARAMS)), transport=script, clock=FakeClock()
    )
    assert [request.url.params["feature"] for request in script.requests] == ["preview"] * 2
    assert [request.headers["x-ms-correlation-request-id"] for request in script.requests] == ["7f3c"] * 2


def test_an_older_version_has_them(colour: Colour) -> None:
    refused = answer(400, {"error": "x", "newest-versions": ["2021-02-01"]})
    request = sent(
        colour,
        refused,
        answer(200, example("instance")),
        action=lambda imds: imds.instances.get_metadata(),
        params=PARAMS,
    )
    assert dict(request.url.params) == {"api-version": "2021-02-01", "feature": "preview"}


def test_only_the_sibling_has_them(colour: Colour) -> None:
    request = sent(colour, action=lambda sibling: get_token(sibling.with_options(headers=None)), headers=HEADERS)
    assert "x-ms-correlation-request-id" not in request.headers
    request = sent(colour, action=lambda sibling: get_token(sibling.with_options(deadline=3)), headers=HEADERS)
    assert "x-ms-correlation-request-id" in request.headers
    request = sent(
        colour, action=lambda sibling: get_token(sibling.with_options(headers={"x-b": "2"})), headers=HEADERS
    )
    assert "x-ms-correlation-request-id" not in request.headers


def test_a_later_change_of_the_dict_has_no_effect() -> None:
    headers = {**HEADERS}
    script = Script(ok())
    with ImdsClient(transport=script) as imds:
        sibling = imds.with_options(headers=headers)
        headers["Host"] = "x"
        get_token(sibling)
    assert script.requests[0].headers["host"] == "169.254.169.254"


# What is refused


def refusal(**options: Any) -> ImdsValidationError:
    script = Script(ok())
    with ImdsClient(transport=script) as imds, pytest.raises(ImdsValidationError) as caught:
        get_token(imds.with_options(**options))
    assert script.requests == []
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        *("Metadata", "metadata", "METADATA", "Host", "Authorization", "Proxy-Authorization", "Content-Length"),
        *("Content-Type", "Connection", "Transfer-Encoding", "Accept", "Accept-Encoding", "Cookie", "TE", "Expect"),
        *("X-Forwarded-For", "Forwarded", "Upgrade", "x-ms-client-request-id", "X-IDENTITY-HEADER", "secret"),
    ],
)
def test_a_header_that_is_not_the_callers(name: str) -> None:
    error = refusal(headers={name: "x"})
    assert error.parameter == "headers"
    assert str(error).startswith(f"headers must not contain {name}, ")
    assert 'for example {"x-ms-correlation-request-id": "7f3c"}' in str(error)


DECLARED = {
    rule["name"]
    for operation in (IDENTITY_GET_TOKEN, APP_SERVICE_GET_TOKEN, INSTANCES_GET_METADATA)
    for rule in operation.rules.values()
    if rule["in"] == "query"
} | {member for rule in WORKLOAD_IDENTITY_GET_TOKEN.rules.values() for member in rule.get("properties", ())}


@pytest.mark.parametrize("name", [*sorted(DECLARED), "Client_Id", "CLIENTID", "API-Version", "principal_id"])
def test_a_parameter_of_the_specification(name: str) -> None:
    error = refusal(params={name: "x"})
    assert error.parameter == "params"
    assert str(error).startswith(f"params must not contain {name}, ")
    assert 'for example {"feature": "preview"}' in str(error)


def test_the_selectors_are_among_them() -> None:
    assert {"client_id", "object_id", "msi_res_id", "mi_res_id", "resource", "api-version", "format"} <= DECLARED


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0b", "é", "日本", "\ud800", 1, None, b"x", ["x"]])
@pytest.mark.parametrize("setting", ["headers", "params"])
def test_a_value_that_cannot_be_sent(setting: str, value: Any) -> None:
    error = refusal(**{setting: {"x-name": value}})
    assert str(error).startswith(f"{setting} must have printable ASCII text as the value of x-name, for example ")


@pytest.mark.parametrize("name", ["", " ", "a b", "a:b", "a\r\nb", "é", "a&b", "a=b", "%61", 1, None, ("a",)])
def test_a_name_that_cannot_be_sent(name: Any) -> None:
    settings = ["params"] if name in ("a&b", "%61") else ["headers", "params"]
    for setting in settings:
        assert str(refusal(**{setting: {name: "x"}})).startswith(f"{setting} contains a name that is not allowed. ")


@pytest.mark.parametrize("given", ["a=b", [("a", "b")], 1, {"a"}])
@pytest.mark.parametrize("setting", ["headers", "params"])
def test_anything_but_a_dict(setting: str, given: Any) -> None:
    assert str(refusal(**{setting: given})).startswith(f"{setting} must be a dict of names and values, for example ")


@pytest.mark.parametrize("setting", ["headers", "params"])
def test_a_name_in_two_cases(setting: str) -> None:
    assert "only once" in str(refusal(**{setting: {"x-a": "1", "X-A": "2"}}))


def test_spaces_around_a_value_of_a_header() -> None:
    assert "spaces around" in str(refusal(headers={"x-a": " 1"}))


def test_the_asynchronous_client_refuses_the_same() -> None:
    with pytest.raises(ImdsValidationError, match="headers must not contain Metadata"):
        AsyncImdsClient().with_options(headers={"Metadata": "false"})


# What siblings share


def test_siblings_with_other_headers_share_no_cached_response(colour: Colour) -> None:
    script = Script(*(answer(200, {"compute": {"name": name}}) for name in "abc"))

    async def names(imds: Any) -> list[str]:
        found = []
        for client in (imds, imds.with_options(headers=HEADERS), imds.with_options(params=PARAMS), imds):
            document = client.instances.get_metadata()
            document = document if colour.name == "sync" else await document
            found.append(document.compute.name)
        return found

    if colour.name == "sync":
        with ImdsClient(transport=script, cache=True) as imds:
            assert anyio.run(names, imds) == ["a", "b", "c", "a"]
    else:
        assert colour.run(names, transport=script, cache=True) == ["a", "b", "c", "a"]
    assert len(script.requests) == 3


def test_credentials_with_other_headers_share_no_tokens(tmp_path: Path) -> None:
    script = Script(ok())
    with ImdsClient(transport=script) as imds:
        for client in (imds, imds.with_options(headers=HEADERS), imds.with_options(params=PARAMS), imds):
            ImdsCredential(client=client, shared_cache=tmp_path).get_token("https://vault.azure.net")
    assert [("x-ms-correlation-request-id" in request.headers) for request in script.requests] == [False, True, False]
    assert ["feature" in request.url.params for request in script.requests] == [False, False, True]


def test_a_client_is_pickled_and_copied_with_them() -> None:
    imds = ImdsClient().with_options(headers=HEADERS, params=PARAMS)
    for made in (pickle.loads(pickle.dumps(imds)), copy.copy(imds)):
        assert (made.options.headers, made.options.params) == (tuple(HEADERS.items()), tuple(PARAMS.items()))


def test_other_hosts_get_them_too(monkeypatch: pytest.MonkeyPatch, colour: Colour) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "canary")
    request = sent(colour, headers=HEADERS, params=PARAMS)
    assert request.headers["x-identity-header"] == "canary"
    assert request.headers["x-ms-correlation-request-id"] == "7f3c"
    assert request.url.params["feature"] == "preview"
