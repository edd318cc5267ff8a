"""`azure-imds token --exec-credential` with the official client of Kubernetes, and the kubeconfig of docs/cli.md."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration import parts

from azure_imds._cli.claims import read_claims
from azure_imds_emulator import Emulator
from support import ROOT, Wire, raw_server, reply

kubernetes = parts.module("kubernetes")

pytestmark = pytest.mark.integration

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
[USERS] = [yaml.safe_load(block)["users"] for block in re.findall(r"```yaml\n(users:.*?)```", PAGE, re.DOTALL)]


def make_kubeconfig(server: str, version: str) -> dict[str, Any]:
    user: dict[str, Any] = yaml.safe_load(yaml.safe_dump(USERS[0]))
    user["user"]["exec"]["apiVersion"] = f"client.authentication.k8s.io/{version}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": user["name"]}}],
        "users": [user],
    }


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    with Emulator() as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_client_sends_the_token_of_the_plugin(version: str, emulator: Emulator) -> None:
    empty = {"apiVersion": "v1", "kind": "NamespaceList", "metadata": {}, "items": []}
    wire = Wire(reply(200, json.dumps(empty), "Content-Type: application/json"))
    with raw_server(wire) as url:
        client = kubernetes.config.new_client_from_config_dict(make_kubeconfig(url, version))
        with client:
            assert kubernetes.client.CoreV1Api(client).list_namespace().items == []
    kind, token = dict(wire.headers())["authorization"].split()
    assert kind == "Bearer"
    assert read_claims(token)["aud"] == "6dae42f8-4368-4678-94ff-3960e28e3630"


def test_the_client_logs_why_there_is_no_token(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    emulator.machine.system_assigned = None
    kubernetes.config.new_client_from_config_dict(make_kubeconfig("http://127.0.0.1:1", "v1"))
    assert "exec: process returned 77. azure-imds: IMDS answered 400" in caplog.text


def test_another_version_is_refused(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    kubernetes.config.new_client_from_config_dict(make_kubeconfig("http://127.0.0.1:1", "v1alpha1"))
    assert "apiVersion must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1" in caplog.text
    assert not emulator.requests
