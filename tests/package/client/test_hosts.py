"""How the client finds IMDS."""

from __future__ import annotations

import httpx
import pytest

from azure_imds import ImdsClient, ImdsUnavailableError, ImdsValidationError
from azure_imds._client import host as hosts
from support import Colour, Script, answer, get_token, ok

ARC = {
    "IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token",
    "IMDS_ENDPOINT": "http://localhost:40342",
}


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_file_of", lambda server, environment: "")


def test_the_address_is_the_same_on_every_azure_machine() -> None:
    assert ImdsClient().endpoint == "http://169.254.169.254"


def test_the_argument_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    assert ImdsClient(endpoint="http://127.0.0.1:2/").endpoint == "http://127.0.0.1:2"


def test_then_the_variable_that_other_sdks_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    for name, value in ARC.items():
        monkeypatch.setenv(name, value)
    assert ImdsClient().endpoint == "http://127.0.0.1:1"


def test_then_arc_by_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ARC.items():
        monkeypatch.setenv(name, value)
    assert ImdsClient().endpoint == "http://localhost:40342"


def test_then_arc_by_its_agent(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    agent = tmp_path_factory.mktemp("arc") / "himds"
    agent.touch()
    monkeypatch.setattr(hosts, "_file_of", lambda server, environment: str(agent) if server.name == "arc" else "")
    assert ImdsClient().endpoint == "http://localhost:40342"


def test_arc_is_requested_with_the_version_that_its_agent_supports(
    monkeypatch: pytest.MonkeyPatch, colour: Colour
) -> None:
    for name, value in ARC.items():
        monkeypatch.setenv(name, value)
    script = Script(ok())
    colour.run(get_token, transport=script)
    assert script.requests[0].url.params["api-version"] == "2020-06-01"


def test_arc_has_no_list_of_versions_so_its_newest_is_that_of_its_agent(
    monkeypatch: pytest.MonkeyPatch, colour: Colour
) -> None:
    for name, value in ARC.items():
        monkeypatch.setenv(name, value)
    script = Script(answer(200, {"compute": {}}))
    colour.run(lambda imds: imds.instances.get_metadata(), transport=script, api_version="newest")
    assert [request.url.params["api-version"] for request in script.requests] == ["2020-06-01"]


def test_a_version_that_the_caller_names_is_kept_on_arc(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ARC.items():
        monkeypatch.setenv(name, value)
    script = Script(ok())
    ImdsClient(transport=script).identity.get_token(resource="r", api_version="2019-11-01")
    assert script.requests[0].url.params["api-version"] == "2019-11-01"


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_disabled_means_no_request(monkeypatch: pytest.MonkeyPatch, colour: Colour, value: str) -> None:
    script = Script(ok())
    monkeypatch.setenv("AZURE_IMDS_DISABLED", value)
    error = colour.error(get_token, transport=script, endpoint="http://127.0.0.1:1")
    assert isinstance(error, ImdsUnavailableError)
    assert error.attempts == 0
    assert "AZURE_IMDS_DISABLED" in str(error)
    assert not script.requests


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_disabled_can_be_set_to_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", value)
    assert ImdsClient(transport=Script(ok())).identity.get_token(resource="r").token_type == "Bearer"


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "169.254.169.254",
        "127.0.0.1:80",
        "ftp://host",
        "http://",
        "http://host/metadata",
        "http://user:secret@host",
        "http://host?x=1",
        "http://host#x",
        "http://ho st",
        "http://host\r\nX: y",
        "http://host:port",
        "http://host:99999",
        7,
    ],
)
def test_an_endpoint_is_a_scheme_and_a_host(endpoint: str) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        ImdsClient(endpoint=endpoint)
    assert caught.value.parameter == "endpoint"
    assert "secret" not in str(caught.value)


# azure-identity, MSAL and others remove any number of them.
@pytest.mark.parametrize("slashes", ["", "/", "//", "///"])
def test_slashes_at_the_end_are_ignored(monkeypatch: pytest.MonkeyPatch, slashes: str) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://localhost:1234{slashes}")
    script = Script(ok())
    client = ImdsClient(transport=script)
    assert client.endpoint == "http://localhost:1234"
    assert ImdsClient(endpoint=f"http://localhost:1234{slashes}").endpoint == "http://localhost:1234"
    client.identity.get_token(resource="r")
    assert str(script.requests[0].url).startswith("http://localhost:1234/metadata/identity/oauth2/token?")


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "127.0.0.1:1")
    with pytest.raises(ImdsValidationError, match="AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        ImdsClient()


def test_proxy_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    client = ImdsClient()
    transport = client.http._transport_for_url(httpx.URL("http://169.254.169.254/metadata"))
    assert transport is client.http._transport
    client.close()
