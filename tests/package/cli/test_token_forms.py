"""A token as a header, and as a credential for Kubernetes' clients."""

from __future__ import annotations

import json
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from azure_imds._cli.claims import read_claims
from azure_imds._cli.exits import Exit
from azure_imds._cli.settings import Settings
from azure_imds._cli.token_forms import choose_form
from azure_imds._cli.values import MASK
from azure_imds_api.models import IdentityTokenResponse
from azure_imds_emulator import Emulator
from cli_support import Run, run_at_terminal

RESOURCE = "https://vault.azure.net"
GROUP = "client.authentication.k8s.io"


def test_a_header_is_one_line_with_the_token(call: Run, emulator: Emulator) -> None:
    done = call("token", RESOURCE, "--header")
    assert done.out == f"Authorization: Bearer {call('token', RESOURCE).out}"
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("token", ["a b\r\nX-Injected: 1", "a\nb", "ü", " a"])
@pytest.mark.parametrize("option", ["--header", "--exec-credential"])
def test_a_token_that_is_no_header_value_is_refused(token: str, option: str, call: Run, emulator: Emulator) -> None:
    emulator.fail(body={"access_token": token, "expires_in": "60"})
    done = call("token", RESOURCE, option)
    assert (done.status, done.out) == (Exit.PROTOCOL, "")
    assert "X-Injected" not in done.err


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_credential_has_the_version_that_the_client_asks_for(
    version: str, call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"apiVersion": f"{GROUP}/{version}", "kind": "ExecCredential", "spec": {"interactive": False}}
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", json.dumps(asked))
    found = call("token", RESOURCE, "--exec-credential").json
    assert (found["apiVersion"], found["kind"]) == (asked["apiVersion"], "ExecCredential")


def test_a_credential_has_the_token_and_its_expiry(call: Run, emulator: Emulator) -> None:
    found = call("token", RESOURCE, "--exec-credential").json
    assert found["apiVersion"] == f"{GROUP}/v1"
    claims = read_claims(found["status"]["token"])
    assert claims["aud"] == RESOURCE
    expires = found["status"]["expirationTimestamp"]
    assert expires.endswith("Z")
    assert abs(datetime.fromisoformat(expires).timestamp() - claims["exp"]) <= 1


BAD_INFO: dict[str, Any] = {
    "nonsense": "KUBERNETES_EXEC_INFO must be JSON, for example {",
    "[]": "KUBERNETES_EXEC_INFO must be an ExecCredential, for example {",
    "{}": "KUBERNETES_EXEC_INFO must be an ExecCredential, for example {",
    json.dumps({"kind": "ExecCredential"}): f"KUBERNETES_EXEC_INFO: apiVersion must be {GROUP}/v1 or {GROUP}/v1beta1",
    json.dumps({"kind": "ExecCredential", "apiVersion": [1]}): "KUBERNETES_EXEC_INFO: apiVersion must be",
    json.dumps(
        {"kind": "ExecCredential", "apiVersion": f"{GROUP}/v1alpha1"}
    ): "Change the apiVersion in your kubeconfig",
}


@pytest.mark.parametrize(("info", "message"), BAD_INFO.items())
def test_another_request_of_the_client_is_refused(
    info: str, message: str, call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", info)
    done = call("token", RESOURCE, "--exec-credential")
    assert (done.status, done.out) == (Exit.USAGE, "")
    assert message in done.err
    assert not emulator.requests


@pytest.mark.parametrize(
    "options",
    [["--header", "--exec-credential"], ["--header", "--output", "json"], ["--exec-credential", "--query", "status"]],
)
def test_options_that_contradict_each_other_are_refused(options: list[str], call: Run, emulator: Emulator) -> None:
    assert call("token", RESOURCE, *options).status == Exit.USAGE
    assert not emulator.requests


def test_the_token_is_hidden_at_a_terminal(emulator: Emulator) -> None:
    done = run_at_terminal("token", RESOURCE, "--header")
    assert done.words == f"Authorization: Bearer {MASK} (to print it, use --raw)"


@pytest.mark.parametrize("option", ["--header", "--exec-credential"])
@pytest.mark.parametrize("hide", [True, False])
def test_a_form_can_hide_the_token(option: str, hide: bool) -> None:
    form = choose_form(Settings(), header=option == "--header", exec_credential=option != "--header")
    answer = IdentityTokenResponse.from_dict({"access_token": "CANARY", "expires_in": "60"})
    assert ("CANARY" in form(answer, 0.0, 0.0, hide=hide)) == (not hide)


@pytest.mark.parametrize("option", ["--header", "--exec-credential"])
def test_raw_shows_the_token_at_a_terminal(
    option: str, call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure_imds._cli.commands.sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))
    assert "eyJ" in call("token", RESOURCE, option, "--raw").out
    assert "eyJ" not in call("token", RESOURCE, option).out
