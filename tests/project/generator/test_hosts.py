"""hosts.json: the hosts of managed identities as data, which the emulator reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_imds_emulator import Emulator, hosts
from generator.hosts import list_hosts
from generator.reader import parse
from generator.specification import Specification
from maintenance_support import edited
from support import ROOT

CONTRACT = Specification.load(ROOT / "openapi.yaml")

#: A host of which nothing but the contract knows.
MADE_UP = """\
  /made/up:
    servers:
      - url: http://localhost:7777
        x-name: made-up
        x-title: a made-up host
        x-when:
          set: [MADE_UP_URL, MADE_UP_KEY]
        x-url: "{MADE_UP_URL}/up"
    post:
      operationId: MadeUp_GetToken
      x-stands-for: Identity_GetToken
      x-errors:
        - {status: 403, when: secret, body: {reason: key}}
      parameters:
        - {name: Key, in: header, required: true, x-from: MADE_UP_KEY, schema: {type: string, format: password}}
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [audience]
              properties:
                audience: {type: string, x-argument: resource}
                version: {type: string, default: v3}
      responses:
        "200":
          content:
            application/json:
              schema: {$ref: "#/components/schemas/IdentityTokenResponse"}
              examples:
                Token: {value: {access_token: x, expires_on: "2030-01-01T00:00:00Z"}}
"""


def list_names(specification: Specification) -> list[str]:
    return [host["name"] for host in list_hosts(specification)]


def test_the_hosts_are_in_the_order_of_their_detection() -> None:
    # As in the client: servers of paths come before those of the document. The virtual machine is what remains.
    assert list_names(CONTRACT) == [
        "app-service",
        "app-service-2017",
        "machine-learning",
        "cloud-shell",
        "service-fabric",
        "identity-bindings",
        "workload-identity",
        "arc",
        "azure",
    ]


def test_no_reference_remains() -> None:
    assert "$ref" not in json.dumps(list_hosts(CONTRACT))


def test_the_committed_file_has_these_hosts() -> None:
    committed = json.loads((ROOT / "generated" / "azure_imds_api" / "hosts.json").read_text(encoding="utf-8"))
    assert committed == list_hosts(CONTRACT)


def test_a_member_of_a_form_is_a_parameter() -> None:
    [host] = [host for host in list_hosts(CONTRACT) if host["name"] == "workload-identity"]
    parameters = {parameter["name"]: parameter for parameter in host["operation"]["parameters"]}
    assert parameters["client_assertion"]["file"] == "AZURE_FEDERATED_TOKEN_FILE"
    assert parameters["client_assertion"]["secret"] is True
    assert (parameters["scope"]["argument"], parameters["scope"]["suffix"]) == ("resource", "/.default")
    assert parameters["tenant"]["in"] == "path"


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes the emulator read the hosts of a contract with another one."""
    text = edited(lambda document: document["paths"].update(parse(MADE_UP).plain()))
    (tmp_path / "hosts.json").write_text(json.dumps(list_hosts(Specification(text))), encoding="utf-8")
    monkeypatch.setattr(hosts, "find_file", lambda: tmp_path / "hosts.json")
    hosts.load_hosts.cache_clear()
    yield
    hosts.load_hosts.cache_clear()


@pytest.mark.usefixtures("made_up")
def test_the_emulator_plays_a_host_that_is_only_in_the_contract() -> None:
    with Emulator(host="made-up") as emulator, httpx.Client(trust_env=False) as client:
        environment = emulator.environment
        assert environment.keys() == {"MADE_UP_URL", "MADE_UP_KEY"}
        url, form = f"{environment['MADE_UP_URL']}/up", {"audience": "https://vault.azure.net", "version": "v3"}

        def send(headers: dict[str, str], **changes: str) -> Any:
            return client.post(url, headers=headers, data={**form, **changes})

        right = {"Key": environment["MADE_UP_KEY"]}
        body = send(right).json()
        assert body.keys() == {"access_token", "expires_on"}
        assert body["expires_on"].endswith("Z")
        for wrong in ({}, {"Key": "wrong"}):
            assert (send(wrong).status_code, send(wrong).json()) == (403, {"reason": "key"})
        assert send(right, version="v2").status_code == 400
        assert send(right, audience="nonsense").status_code == 400


def test_a_host_that_leaves_the_contract_leaves_the_list() -> None:
    text = edited(lambda document: document["paths"].pop("/oauth2/token"))
    assert "cloud-shell" not in list_names(Specification(text))
