"""Tokens on hosts that are not IMDS: App Service, Azure Machine Learning, Cloud Shell and others.

The requests here are those of Microsoft's documentation and of clients that are in use, not those of the specification.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from azure_imds import (
    ArcChallengeError,
    AsyncImdsClient,
    AsyncImdsCredential,
    ForbiddenError,
    IdentityNotFoundError,
    ImdsClient,
    ImdsCredential,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsUnavailableError,
    ImdsValidationError,
    InvalidResourceError,
    ThrottledError,
)
from azure_imds._client.host import find_host
from azure_imds_api.api import SERVERS, hosts
from signal_support import handled, needs_signals, send_alarm
from support import (
    CANARY,
    CLIENT_ID,
    RESOURCE,
    ROOT,
    Colour,
    FakeClock,
    Script,
    Wire,
    answer,
    collect_texts,
    find_reachable,
    get_token,
    raw_server,
    reply,
)
from transport_support import Ear, https, over_tls, server_certificate

SECRET = "secret-of-the-platform-0815"
OBJECT_ID = "00000000-0000-0000-0000-000000000004"
RESOURCE_ID = "/subscriptions/x/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
TENANT = "00000000-0000-0000-0000-000000000002"
TOKEN = {"access_token": CANARY, "expires_on": "1893456000", "token_type": "Bearer"}
THUMBPRINT = hashlib.sha1(server_certificate()[1].der).hexdigest().upper()


def variables_of(host: str, url: str, folder: Path) -> dict[str, str]:
    """What the platform sets on a host whose endpoint is at this URL."""
    file = folder / "azure-identity-token"
    file.write_text(SECRET + "\n")
    return {
        "app-service": {"IDENTITY_ENDPOINT": f"{url}/msi/token", "IDENTITY_HEADER": SECRET},
        "app-service-2017": {"MSI_ENDPOINT": f"{url}/MSI/token/", "MSI_SECRET": SECRET, "WEBSITE_SITE_NAME": "app"},
        "machine-learning": {"MSI_ENDPOINT": f"{url}/MSI/auth/", "MSI_SECRET": SECRET},
        "cloud-shell": {"MSI_ENDPOINT": f"{url}/oauth2/token"},
        "service-fabric": {
            "IDENTITY_ENDPOINT": f"{https(url)}/metadata/identity/oauth2/token",
            "IDENTITY_HEADER": SECRET,
            "IDENTITY_SERVER_THUMBPRINT": THUMBPRINT,
            "IDENTITY_API_VERSION": "2020-05-01",
        },
        "workload-identity": {
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_FEDERATED_TOKEN_FILE": str(file),
            "AZURE_AUTHORITY_HOST": f"{https(url)}/",
        },
    }[host]


HOSTS = [name for name, server in SERVERS.items() if server.template]


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    """Each host that has operations of its own."""
    name: str = request.param
    return name


@pytest.fixture
def environment(host: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Makes this process one on the host, whose endpoint nothing listens on."""
    variables = variables_of(host, "http://127.0.0.1:1", tmp_path_factory.mktemp("host"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def enter(host: str, monkeypatch: pytest.MonkeyPatch, folder: Path, url: str = "http://127.0.0.1:1") -> None:
    """Makes this process one on a host."""
    for name, value in variables_of(host, url, folder).items():
        monkeypatch.setenv(name, value)


def sent_by(request: httpx.Request) -> dict[str, str]:
    """The query or the form of a request."""
    text = request.content.decode() or request.url.query.decode()
    return {name: value for name, (value,) in parse_qs(text, strict_parsing=True).items()}


#: Method, path, headers, and query or form of a token request without a selector.
REQUESTS: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "app-service": (
        "GET",
        "/msi/token",
        {"x-identity-header": SECRET, "metadata": "true"},
        {"api-version": "2019-08-01", "resource": RESOURCE},
    ),
    "app-service-2017": (
        "GET",
        "/MSI/token/",
        {"secret": SECRET},
        {"api-version": "2017-09-01", "resource": RESOURCE},
    ),
    "machine-learning": (
        "GET",
        "/MSI/auth/",
        {"secret": SECRET},
        {"api-version": "2017-09-01", "resource": RESOURCE},
    ),
    "cloud-shell": (
        "POST",
        "/oauth2/token",
        {"metadata": "true", "content-type": "application/x-www-form-urlencoded"},
        {"resource": RESOURCE},
    ),
    "service-fabric": (
        "GET",
        "/metadata/identity/oauth2/token",
        {"secret": SECRET},
        {"api-version": "2020-05-01", "resource": RESOURCE},
    ),
    "workload-identity": (
        "POST",
        f"/{TENANT}/oauth2/v2.0/token",
        {"content-type": "application/x-www-form-urlencoded"},
        {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "scope": f"{RESOURCE}/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": SECRET,
        },
    ),
}


@pytest.mark.usefixtures("environment")
def test_the_request_is_the_one_of_the_host(host: str, colour: Colour) -> None:
    script = Script(answer(200, TOKEN, server=""))
    token = colour.run(get_token, transport=script)
    assert token.access_token == CANARY
    request = script.requests[0]
    method, path, headers, values = REQUESTS[host]
    assert (request.method, request.url.path) == (method, path)
    assert headers.items() <= dict(request.headers).items()
    assert sent_by(request) == values


@pytest.mark.usefixtures("environment")
def test_the_host_has_a_name(host: str) -> None:
    assert ImdsClient().host == host
    assert ImdsCredential().host == host
    assert AsyncImdsCredential().host == host


def test_a_virtual_machine_has_a_name() -> None:
    assert ImdsClient(endpoint="http://127.0.0.1:1").host == "azure"


#: What each selector is sent as. None: it is refused.
SELECTORS: dict[str, dict[str, str | None]] = {
    "app-service": {"client_id": "client_id", "object_id": "object_id", "msi_res_id": "mi_res_id"},
    "app-service-2017": {"client_id": "clientid", "object_id": None, "msi_res_id": None},
    "machine-learning": {"client_id": "clientid", "object_id": None, "msi_res_id": None},
    "cloud-shell": {"client_id": None, "object_id": None, "msi_res_id": None},
    "service-fabric": {"client_id": None, "object_id": "principalId", "msi_res_id": None},
    "workload-identity": {"client_id": "client_id", "object_id": None, "msi_res_id": None},
}
VALUES = {"client_id": OBJECT_ID, "object_id": OBJECT_ID, "msi_res_id": RESOURCE_ID}


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("selector", VALUES)
def test_a_selector_is_sent_by_the_name_of_the_host_or_refused(host: str, selector: str, colour: Colour) -> None:
    script, name = Script(answer(200, TOKEN)), SELECTORS[host][selector]
    given = {selector: VALUES[selector]}
    if name:
        colour.run(lambda imds: imds.identity.get_token(resource=RESOURCE, **given), transport=script)
        assert sent_by(script.requests[0])[name] == VALUES[selector]
        return
    error = colour.error(lambda imds: imds.identity.get_token(resource=RESOURCE, **given), transport=script)
    assert isinstance(error, ImdsValidationError)
    assert error.parameter == selector
    assert SERVERS[host].title in str(error)
    assert not script.requests


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("kind", [ImdsCredential, AsyncImdsCredential])
@pytest.mark.parametrize("selector", VALUES)
def test_a_credential_refuses_it_when_it_is_made(host: str, selector: str, kind: Any) -> None:
    known_as = {"msi_res_id": "resource_id"}.get(selector, selector)
    if SELECTORS[host][selector]:
        assert kind(**{known_as: VALUES[selector]}).host == host
        return
    with pytest.raises(ImdsValidationError) as caught:
        kind(**{known_as: VALUES[selector]})
    assert caught.value.parameter == known_as


@pytest.mark.usefixtures("environment")
def test_other_arguments_that_the_host_does_not_have_are_refused(host: str) -> None:
    script = Script(answer(200, TOKEN))
    for name, value in {"bypass_cache": "true", "authority": "https://login.microsoftonline.com/"}.items():
        with pytest.raises(ImdsValidationError) as caught:
            ImdsClient(transport=script).identity.get_token(resource=RESOURCE, **{name: value})  # type: ignore[arg-type]
        assert caught.value.parameter == name
    assert not script.requests


@pytest.mark.usefixtures("environment", "host")
def test_a_credential_can_ask_for_a_new_token_everywhere() -> None:
    script = Script(answer(200, TOKEN))
    credential = ImdsCredential(transport=script)
    credential.get_token(RESOURCE)
    credential.get_token(RESOURCE, claims="{}")
    assert len(script.requests) == 2


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("call", ["instances.get_metadata()", "get('compute/name')", "versions.get_versions()"])
def test_what_only_imds_has_names_the_host_and_what_works_there(host: str, call: str, colour: Colour) -> None:
    script = Script(answer(200, {}))
    error = colour.error(lambda imds: eval(f"imds.{call}", {"imds": imds}), transport=script)
    assert isinstance(error, ImdsUnavailableError)
    assert SERVERS[host].title in str(error)
    assert "identity.get_token" in str(error)
    assert error.attempts == 0
    assert not script.requests


@pytest.mark.usefixtures("environment", "host")
def test_imds_is_not_available_elsewhere(colour: Colour) -> None:
    script = Script(answer(200, {}))
    assert colour.run(lambda imds: imds.is_available(), transport=script) is False
    assert not script.requests


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"IDENTITY_ENDPOINT": "http://h/x", "IDENTITY_HEADER": "y", "IMDS_ENDPOINT": "http://h"}, "app-service"),
        ({"IDENTITY_ENDPOINT": "http://h/x", "IDENTITY_HEADER": ""}, "azure"),
        ({"IDENTITY_ENDPOINT": "http://h/x"}, "azure"),
        ({"IDENTITY_ENDPOINT": "http://h/x", "IMDS_ENDPOINT": "http://h"}, "arc"),
        # Azure Container Instances
        ({"IDENTITY_HEADER": "y", "IDENTITY_SERVER_THUMBPRINT": "z", "IDENTITY_API_VERSION": "2020-05-01"}, "azure"),
        # App Service sets both pairs.
        (
            {
                "IDENTITY_ENDPOINT": "http://h/x",
                "IDENTITY_HEADER": "y",
                "MSI_ENDPOINT": "http://h/z",
                "MSI_SECRET": "y",
                "WEBSITE_SITE_NAME": "app",
            },
            "app-service",
        ),
        ({"MSI_ENDPOINT": "http://h/z", "MSI_SECRET": "y", "WEBSITE_SITE_NAME": "app"}, "app-service-2017"),
        ({"MSI_ENDPOINT": "http://h/z", "MSI_SECRET": "y"}, "machine-learning"),
        ({"MSI_ENDPOINT": "http://h/z", "MSI_SECRET": ""}, "cloud-shell"),
        ({"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_AUTHORITY_HOST": "https://h/"}, "azure"),
        ({"MSI_ENDPOINT": "http://h/z", "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}, "azure"),
    ],
)
def test_a_host_is_recognized_by_its_variables(variables: dict[str, str], expected: str) -> None:
    assert find_host(None, variables).name == expected


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://169.254.169.254"])
def test_an_endpoint_is_always_an_imds(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSI_ENDPOINT", "http://h/z")
    assert find_host(endpoint).name == "azure"


@pytest.mark.parametrize(
    ("host", "changes", "variable"),
    [
        ("app-service", {"IDENTITY_ENDPOINT": "localhost:4141"}, "IDENTITY_ENDPOINT"),
        ("app-service", {"IDENTITY_ENDPOINT": f"http://user:{SECRET}@localhost/x"}, "IDENTITY_ENDPOINT"),
        ("app-service", {"IDENTITY_ENDPOINT": "https://localhost/x"}, "IDENTITY_ENDPOINT"),
        ("service-fabric", {"IDENTITY_ENDPOINT": "http://localhost/x"}, "IDENTITY_ENDPOINT"),
        ("service-fabric", {"IDENTITY_SERVER_THUMBPRINT": "abc"}, "IDENTITY_SERVER_THUMBPRINT"),
        ("workload-identity", {"AZURE_AUTHORITY_HOST": "http://login.microsoftonline.com"}, "AZURE_AUTHORITY_HOST"),
        ("workload-identity", {"AZURE_TENANT_ID": "a/../b"}, "AZURE_TENANT_ID"),
        ("workload-identity", {"AZURE_TENANT_ID": "a?b"}, "AZURE_TENANT_ID"),
        ("workload-identity", {"AZURE_TENANT_ID": ".."}, "AZURE_TENANT_ID"),
        ("workload-identity", {"HTTPS_PROXY": f"ftp://user:{SECRET}@h"}, "HTTPS_PROXY"),
        ("workload-identity", {"HTTPS_PROXY": "http://[::1"}, "HTTPS_PROXY"),
        ("workload-identity", {"HTTPS_PROXY": f"gopher://{SECRET}\udcff"}, "HTTPS_PROXY"),
        pytest.param(
            *("workload-identity", {"HTTPS_PROXY": "http://h", "SSL_CERT_FILE": "/nonexistent"}, "SSL_CERT_FILE"),
            marks=pytest.mark.skipif(httpx.__version__ < "0.28", reason="older ones ignore a file that does not exist"),
        ),
        ("workload-identity", {"HTTPS_PROXY": "http://h", "SSL_CERT_FILE": __file__}, "SSL_CERT_FILE"),
    ],
)
def test_a_malformed_variable_is_named_before_anything_is_sent(
    host: str, changes: dict[str, str], variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter(host, monkeypatch, tmp_path)
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    for kind in (ImdsClient, AsyncImdsClient):
        with pytest.raises(ImdsValidationError) as caught:
            kind()
        assert caught.value.parameter == variable
        assert SECRET not in str(caught.value)
        # Not in the exception that was handled either.
        assert caught.value.__context__ is None


def test_an_endpoint_that_is_no_url_gets_an_example_for_this_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter("workload-identity", monkeypatch, tmp_path)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://h/?a=b")
    with pytest.raises(ImdsValidationError, match="without a user, a query and a fragment, such as https://login"):
        ImdsClient()


@pytest.mark.parametrize(
    ("host", "variable"),
    [("service-fabric", "IDENTITY_API_VERSION"), ("machine-learning", "DEFAULT_IDENTITY_CLIENT_ID")],
)
def test_a_wrong_default_is_named_by_its_variable(
    host: str, variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter(host, monkeypatch, tmp_path)
    monkeypatch.setenv(variable, "\udcff")
    with pytest.raises(ImdsValidationError) as caught:
        get_token(ImdsClient(transport=Script(answer(200, TOKEN))))
    assert caught.value.parameter == variable


@pytest.mark.parametrize("host", ["app-service", "machine-learning", "service-fabric"])
@pytest.mark.parametrize("value", ["two\r\nlines", "snow\N{SNOWMAN}"])
def test_a_secret_that_is_not_allowed_in_a_header_is_named_but_not_shown(
    host: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter(host, monkeypatch, tmp_path)
    variable = "MSI_SECRET" if host == "machine-learning" else "IDENTITY_HEADER"
    monkeypatch.setenv(variable, value)
    script = Script(answer(200, TOKEN))
    with pytest.raises(ImdsValidationError) as caught:
        get_token(ImdsClient(transport=script))
    assert caught.value.parameter == variable
    assert "lines" not in str(caught.value)
    assert "snow" not in str(caught.value)
    assert not script.requests


def test_the_default_identity_of_machine_learning_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter("machine-learning", monkeypatch, tmp_path)
    monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", CLIENT_ID)
    script = Script(answer(200, TOKEN))
    colour.run(get_token, transport=script)
    colour.run(lambda imds: imds.identity.get_token(resource=RESOURCE, client_id=OBJECT_ID), transport=script)
    assert [sent_by(request)["clientid"] for request in script.requests] == [CLIENT_ID, OBJECT_ID]


def test_workload_identity_needs_a_client_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour) -> None:
    enter("workload-identity", monkeypatch, tmp_path)
    monkeypatch.delenv("AZURE_CLIENT_ID")
    script = Script(answer(200, TOKEN))
    error = colour.error(get_token, transport=script)
    assert isinstance(error, ImdsValidationError)
    assert error.parameter == "client_id"
    assert "AZURE_CLIENT_ID" in str(error)
    assert not script.requests


def test_identity_bindings_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour) -> None:
    enter("workload-identity", monkeypatch, tmp_path)
    monkeypatch.setenv("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1")
    script = Script(answer(200, TOKEN))
    error = colour.error(get_token, transport=script)
    assert isinstance(error, ImdsUnavailableError)
    assert "AZURE_KUBERNETES_TOKEN_PROXY" in str(error)
    assert not script.requests


@pytest.mark.parametrize(
    ("host", "variable"),
    [
        ("app-service", "IDENTITY_HEADER"),
        ("app-service-2017", "MSI_SECRET"),
        ("machine-learning", "MSI_SECRET"),
        ("service-fabric", "IDENTITY_HEADER"),
    ],
)
def test_a_secret_is_read_again_for_each_request(
    host: str, variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter(host, monkeypatch, tmp_path)

    def rotate(request: httpx.Request) -> httpx.Response:
        monkeypatch.setenv(variable, "rotated")
        return answer(500, "", server="")

    script = Script(rotate, answer(200, TOKEN))
    colour.run(get_token, transport=script, clock=FakeClock())
    name = "x-identity-header" if host == "app-service" else "secret"
    assert [request.headers[name] for request in script.requests] == [SECRET, "rotated"]


def test_a_token_file_is_read_again_for_each_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter("workload-identity", monkeypatch, tmp_path)

    def rotate(request: httpx.Request) -> httpx.Response:
        (tmp_path / "azure-identity-token").write_text("rotated")
        return answer(503, "", server="")

    script = Script(rotate, answer(200, TOKEN))
    colour.run(get_token, transport=script, clock=FakeClock())
    assert [sent_by(request)["client_assertion"] for request in script.requests] == [SECRET, "rotated"]


@pytest.mark.parametrize("content", [None, b"", b" \n", b"x" * 70_000, "\N{SNOWMAN}".encode(), "folder"])
def test_a_token_file_that_cannot_be_used_is_named_by_its_variable(
    content: bytes | str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter("workload-identity", monkeypatch, tmp_path)
    file = tmp_path / "azure-identity-token"
    file.unlink()
    if content == "folder":
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    script = Script(answer(200, TOKEN))
    with pytest.raises(ImdsUnavailableError, match="AZURE_FEDERATED_TOKEN_FILE"):
        get_token(ImdsClient(transport=script))
    assert not script.requests


def test_a_token_file_may_be_a_link_as_in_a_volume_of_kubernetes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter("workload-identity", monkeypatch, tmp_path)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "azure-identity-token")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(link))
    assert get_token(ImdsClient(transport=Script(answer(200, TOKEN)))).access_token == CANARY


@needs_signals
def test_a_signal_while_the_token_file_is_read_reaches_the_caller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter("workload-identity", monkeypatch, tmp_path)
    error, read = TimeoutError("the program's own limit"), os.open

    def interrupted(*arguments: Any, **options: Any) -> Any:
        send_alarm()
        return read(*arguments, **options)

    script = Script(answer(200, TOKEN))
    imds = ImdsClient(transport=script)
    monkeypatch.setattr(os, "open", interrupted)
    with handled(error), pytest.raises(TimeoutError) as caught:
        get_token(imds)
    assert caught.value is error
    assert not script.requests


CASES = json.loads((ROOT / "tests" / "data" / "cases" / "host-tokens.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("environment", "host")
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.get("expires_on", case.get("expires_in"))))
def test_every_form_of_an_expiry_is_read(case: Mapping[str, Any]) -> None:
    credential = ImdsCredential(transport=Script(answer(200, dict(case), server="")), clock=FakeClock(1_893_452_400.0))
    assert credential.get_token(RESOURCE).expires_on == 1_893_456_000


@pytest.mark.usefixtures("environment", "host")
def test_an_expiry_that_cannot_be_read_is_named() -> None:
    script = Script(answer(200, {**TOKEN, "expires_on": "tomorrow"}, server=""))
    with pytest.raises(ImdsResponseError, match="expires_on") as caught:
        ImdsCredential(transport=script).get_token(RESOURCE)
    assert CANARY not in collect_texts(caught.value)


@pytest.mark.parametrize("selector", ["client_id", "object_id", "msi_res_id"])
def test_a_token_of_another_identity_is_refused(
    selector: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter("app-service", monkeypatch, tmp_path)
    echo = "mi_res_id" if selector == "msi_res_id" else selector
    script = Script(answer(200, {**TOKEN, echo: "another"}))
    given = {selector: VALUES[selector]}
    error = colour.error(lambda imds: imds.identity.get_token(resource=RESOURCE, **given), transport=script)
    assert isinstance(error, ImdsResponseError)
    assert selector in str(error)
    assert CANARY not in collect_texts(error)


def error_examples() -> Iterator[Any]:
    """Every error of a host in the specification, with its body."""
    for host in json.loads((files("azure_imds_api") / "hosts.json").read_text(encoding="utf-8")):
        for number, error in enumerate(host["operation"]["errors"] if host["url_template"] else ()):
            if error["body"] is not None:
                yield pytest.param(host["name"], error, id=f"{host['name']}-{error['status']}-{number}")


@pytest.mark.parametrize(("host", "error"), [*error_examples()])
def test_an_error_of_the_host_has_a_class_and_its_own_words(
    host: str, error: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter(host, monkeypatch, tmp_path)
    body = error["body"]
    raised = colour.error(get_token, transport=Script(answer(error["status"], body, server="Kestrel")), retry=None)
    assert isinstance(raised, ImdsStatusError)
    assert raised.status_code == error["status"]
    assert type(raised).__name__ == (error["class"] or type(raised).__name__)
    assert SERVERS[host].title in str(raised)
    if error["hint"]:
        assert " ".join(error["hint"].split()) in str(raised)
    words = list(_words(body))
    assert not words or any(word in str(raised) for word in words)


def _words(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for name, value in body.items():
            if "message" in name.lower() or name in ("error", "error_description", "ErrorCode"):
                yield from _words(value)
    elif isinstance(body, str) and body:
        yield body[:100]


@pytest.mark.parametrize(
    ("host", "status", "body", "kind", "text"),
    [
        # Captures of users, shortened
        (
            "app-service",
            400,
            {
                "statusCode": 400,
                "message": "No User Assigned or Delegated Managed Identity found",
                "correlationId": "c1",
            },
            IdentityNotFoundError,
            "Identity of the app",
        ),
        ("app-service", 500, "", ImdsStatusError, "without explanation"),
        (
            "app-service",
            503,
            {"ExceptionMessage": "", "ErrorCode": "service_unavailable", "StatusCode": 503, "Message": None},
            ImdsStatusError,
            "service_unavailable",
        ),
        (
            "app-service",
            400,
            {"error": {"code": "UnsupportedApiVersion", "message": "no"}},
            ImdsStatusError,
            "UnsupportedApiVersion",
        ),
        (
            "machine-learning",
            404,
            "InternalError - :{ Exception while request, Request failure status code: 404 }",
            IdentityNotFoundError,
            "InternalError",
        ),
        (
            "cloud-shell",
            400,
            {"error": {"code": "AudienceNotSupported", "message": "Audience x is not a supported MSI token audience."}},
            InvalidResourceError,
            "not a supported MSI token audience",
        ),
        (
            "service-fabric",
            404,
            {"error": {"correlationId": "c1", "code": "ManagedIdentityNotFound", "message": "no identity"}},
            IdentityNotFoundError,
            "ManagedIdentityNotFound: no identity",
        ),
        ("service-fabric", 401, {"error": {"code": "SecretHeaderNotFound", "message": "m"}}, ForbiddenError, "m"),
        (
            "workload-identity",
            400,
            {"error": "invalid_request", "error_description": "AADSTS700213: No matching", "correlation_id": "c1"},
            ImdsStatusError,
            "AADSTS700213",
        ),
    ],
)
def test_an_error_that_users_have_seen_is_understood(
    host: str, status: int, body: Any, kind: type[ImdsError], text: str,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour,
) -> None:  # fmt: skip
    enter(host, monkeypatch, tmp_path)
    error = colour.error(get_token, transport=Script(answer(status, body, server="")), retry=None)
    assert isinstance(error, kind)
    assert text in str(error)
    if "c1" in json.dumps(body):
        assert isinstance(error, ImdsStatusError)
        assert error.request_id == "c1"


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("status", [200, 302, 400, 404, 502])
def test_a_web_page_in_place_of_the_host_is_not_its_response(host: str, status: int, colour: Colour) -> None:
    page = answer(status, b"<!doctype html><title>Sign in</title>", content_type="text/html", server="nginx")
    error = colour.error(get_token, transport=Script(page), retry=None)
    assert isinstance(error, ImdsUnavailableError)
    assert SERVERS[host].title in str(error)


@pytest.mark.usefixtures("environment", "host")
@pytest.mark.parametrize("body", [b'{"access_token": "' + CANARY.encode(), b"", b"[]"])
def test_a_broken_success_is_the_response_of_the_host(body: bytes, colour: Colour) -> None:
    error = colour.error(get_token, transport=Script(answer(200, body, server="")), retry=None)
    assert isinstance(error, ImdsResponseError)
    assert CANARY not in collect_texts(error)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("echo", ["body", "header"])
def test_a_secret_shows_nowhere(host: str, echo: str, colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    body = {"error": {"message": f"wrong {SECRET}"}} if echo == "body" else {"error": {"message": "wrong"}}
    transport = httpx.MockTransport(lambda _: answer(400, body, x_echo=f"x {SECRET}", server=""))
    error = colour.error(get_token, transport=transport, retry=None)
    assert isinstance(error, ImdsStatusError)
    if host == "cloud-shell":  # it has no secret
        return
    assert SECRET not in collect_texts(error)
    assert SECRET not in caplog.text
    assert not any(isinstance(one, (str, bytes)) and SECRET in str(one) for one in find_reachable(error))
    assert SECRET.encode() not in pickle.dumps(error)


@pytest.mark.usefixtures("environment", "host")
def test_a_client_and_a_credential_hold_no_secret() -> None:
    for made in (ImdsClient(), ImdsCredential()):
        assert SECRET not in repr(made)
        assert SECRET.encode() not in pickle.dumps(made)


def test_a_certificate_is_checked_before_the_secret_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    ear = Ear()
    with raw_server(ear) as url:
        enter("service-fabric", monkeypatch, tmp_path, url)
        monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", "0" * 40)
        error = colour.error(get_token, retry=None)
        assert ear.ended.wait(10)
    assert isinstance(error, ImdsUnavailableError)
    assert "certificate" in str(error)
    assert ear.received == b""


def test_the_right_certificate_is_accepted_without_a_chain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    wire = Wire(reply(200, json.dumps(TOKEN), "Connection: close"))
    with raw_server(over_tls(wire)) as url:
        enter("service-fabric", monkeypatch, tmp_path, url)
        spaced = ":".join(THUMBPRINT[i : i + 2] for i in range(0, 40, 2)).lower()
        monkeypatch.setenv("IDENTITY_SERVER_THUMBPRINT", spaced)
        assert colour.run(get_token).access_token == CANARY
    assert wire.header("secret") == SECRET


def test_a_certificate_that_is_not_trusted_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    ear = Ear()
    with raw_server(ear) as url:
        enter("workload-identity", monkeypatch, tmp_path)
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", url.replace("http://", "https://"))
        error = colour.error(get_token)
    assert isinstance(error, ImdsUnavailableError)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert "SSL_CERT_FILE" in error.hint
    assert (error.attempts, error.retryable, ear.received) == (1, False, b"")


@pytest.mark.parametrize("host", ["app-service", "machine-learning", "cloud-shell"])
def test_a_proxy_of_the_environment_never_sees_the_secret(
    host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    proxy, wire = Wire(reply(200, json.dumps(TOKEN))), Wire(reply(200, json.dumps(TOKEN)))
    with raw_server(proxy) as proxy_url, raw_server(wire) as url:
        enter(host, monkeypatch, tmp_path, url)
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy_url)
        assert colour.run(get_token).access_token == CANARY
    assert not proxy.requests
    assert len(wire.requests) == 1


@pytest.mark.parametrize("bypass", [False, True])
def test_workload_identity_uses_the_proxy_of_the_environment(
    bypass: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    proxy = Wire(reply(403, "Forbidden", "Server: squid", "Connection: close"))
    with raw_server(proxy) as proxy_url:
        enter("workload-identity", monkeypatch, tmp_path)
        monkeypatch.setenv("https_proxy", proxy_url)
        monkeypatch.setenv("no_proxy", "localhost" if bypass else "")
        error = colour.error(get_token, retry=None)
    assert isinstance(error, ImdsUnavailableError)
    # The request itself is encrypted, so the proxy sees only where it goes.
    assert [wire.split(b"\r\n")[0] for wire in proxy.requests] == ([] if bypass else [b"CONNECT localhost:1 HTTP/1.1"])


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_may_be_named_without_a_scheme(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    proxy = Wire(reply(403, "Forbidden", "Server: squid", "Connection: close"))
    with raw_server(proxy) as proxy_url:
        enter("workload-identity", monkeypatch, tmp_path)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv(variable, proxy_url.removeprefix("http://"))
        assert isinstance(colour.error(get_token, retry=None), ImdsUnavailableError)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("value", ["ftp://user:canary@h", "http://", "http://user:canary@[::1", "h:port"])
def test_a_proxy_that_cannot_be_used_is_named_but_not_shown(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter("workload-identity", monkeypatch, tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(ImdsValidationError, match="must be the URL of a proxy") as caught:
        ImdsClient()
    assert caught.value.parameter == "HTTPS_PROXY"
    assert "canary" not in str(caught.value)
    assert ImdsClient(endpoint="http://127.0.0.1:1").host == "azure"  # a proxy of others does not matter


@pytest.mark.usefixtures("environment")
def test_versions_in_an_error_are_its_own_words_only(host: str, colour: Colour) -> None:
    script = Script(answer(400, {"error": "Bad", "newest-versions": ["2017-01-01"]}, server=""))
    error = colour.error(get_token, transport=script)
    assert isinstance(error, ImdsStatusError)
    assert len(script.requests) == 1


@pytest.mark.usefixtures("environment")
def test_only_azure_arc_can_ask_for_a_key_file(host: str, colour: Colour) -> None:
    challenge = {"WWW-Authenticate": "Basic realm=/var/opt/azcmagent/tokens/a.key"}
    script = Script(lambda _: httpx.Response(401, headers=challenge, content=b""))
    error = colour.error(get_token, transport=script, retry=None)
    assert isinstance(error, ImdsStatusError)
    assert not isinstance(error, ArcChallengeError)
    assert len(script.requests) == 1


@pytest.mark.parametrize(("host", "named"), [("service-fabric", False), ("machine-learning", True)])
def test_the_variable_for_a_client_id_is_named_where_one_can_be_sent(
    host: str, named: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter(host, monkeypatch, tmp_path)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    text = "ManagedIdentityNotFound, status code: 404"
    error = colour.error(get_token, transport=Script(answer(404, text, server="")), retry=None)
    assert isinstance(error, IdentityNotFoundError)
    assert ("AZURE_CLIENT_ID" in str(error)) is named


def test_no_redirect_is_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour) -> None:
    elsewhere = Wire(reply(200, json.dumps(TOKEN)))
    with raw_server(elsewhere) as there, raw_server(Wire(reply(307, "", f"Location: {there}/x"))) as url:
        enter("app-service", monkeypatch, tmp_path, url)
        error = colour.error(get_token, retry=None)
    assert isinstance(error, ImdsUnavailableError)
    assert not elsewhere.requests


def test_throttling_on_service_fabric_is_repeated_after_its_documented_waits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter("service-fabric", monkeypatch, tmp_path)
    clock, script = FakeClock(), Script(answer(429, "", server=""))
    error = colour.error(get_token, transport=script, clock=clock)
    assert isinstance(error, ThrottledError)
    assert [int(wait) - 1 for wait in clock.waits] == [1, 2, 4, 8, 16]  # one second of jitter
    assert error.attempts == 6


@pytest.mark.parametrize(
    ("host", "status", "repeated"),
    [
        ("service-fabric", 404, False),
        ("app-service", 500, True),
        ("app-service", 503, True),
        ("app-service", 429, True),
        ("app-service", 400, False),
        ("app-service", 404, False),
        ("machine-learning", 404, False),
        ("cloud-shell", 503, True),
        ("workload-identity", 429, True),
        ("workload-identity", 400, False),
    ],
)
def test_what_is_repeated_depends_on_the_host(
    host: str, status: int, repeated: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, colour: Colour
) -> None:
    enter(host, monkeypatch, tmp_path)
    script = Script(answer(status, "x", server=""), answer(200, TOKEN))
    error = None
    try:
        colour.run(get_token, transport=script, clock=FakeClock())
    except ImdsError as raised:
        error = raised
    assert (error is None) is repeated
    assert len(script.requests) == (2 if repeated else 1)


@pytest.mark.usefixtures("environment")
def test_a_host_that_does_not_answer_says_what_to_do(host: str, colour: Colour) -> None:
    error = colour.error(get_token, retry=None)
    assert isinstance(error, ImdsUnavailableError)
    assert SERVERS[host].title in str(error)
    assert error.hint == SERVERS[host].unreachable


def test_processes_with_different_default_identities_do_not_share_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter("machine-learning", monkeypatch, tmp_path)
    script = Script(answer(200, TOKEN))
    for client_id in (CLIENT_ID, CLIENT_ID, OBJECT_ID):
        monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", client_id)
        ImdsCredential(transport=script, shared_cache=str(tmp_path / "cache")).get_token(RESOURCE)
    assert [sent_by(request)["clientid"] for request in script.requests] == [CLIENT_ID, OBJECT_ID]


def test_applications_with_different_secrets_do_not_share_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # All applications of a node of Service Fabric have the same URL. The secret shows which one asks.
    enter("service-fabric", monkeypatch, tmp_path)
    script = Script(answer(200, TOKEN))
    for secret in (SECRET, SECRET, "secret-of-another-application"):
        monkeypatch.setenv("IDENTITY_HEADER", secret)
        credential = ImdsCredential(transport=script, shared_cache=str(tmp_path / "cache"))
        credential.get_token(RESOURCE)
        assert secret not in str(credential._identity)
    assert [request.headers["secret"] for request in script.requests] == [SECRET, "secret-of-another-application"]


def test_the_low_level_client_has_the_operations_of_hosts() -> None:
    from azure_imds_api import AuthenticatedClient
    from azure_imds_api.api.hosts import cloud_shell_get_token
    from azure_imds_api.models import CloudShellTokenRequest

    script = Script(answer(200, TOKEN))
    client = AuthenticatedClient("http://127.0.0.1:1", "", httpx_args={"transport": script})
    parsed = cloud_shell_get_token.sync(client=client, body=CloudShellTokenRequest(resource=RESOURCE))
    assert parsed is not None
    assert parsed.access_token == CANARY
    assert sent_by(script.requests[0]) == {"resource": RESOURCE}


def test_no_attribute_of_the_client_is_for_a_host() -> None:
    assert not hasattr(ImdsClient(), "hosts")
    assert hosts.APP_SERVICE_GET_TOKEN.sources
    assert urlsplit(find_host(None).endpoint).hostname == "169.254.169.254"
