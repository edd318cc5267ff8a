"""The Azure Arc agent: its challenge, its key files and its responses."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from azure_imds_emulator import Emulator, Machine
from emulator_support import make_client_for

QUERY = {"api-version": "2020-06-01", "resource": "https://vault.azure.net"}
TOKEN = "/identity/oauth2/token"


@pytest.fixture
def arc() -> Iterator[Emulator]:
    with Emulator(arc=True) as emulator:
        yield emulator


@pytest.fixture
def http(arc: Emulator) -> Iterator[httpx.Client]:
    with make_client_for(arc) as client:
        yield client


def request_key_file(http: httpx.Client, **query: str) -> Path:
    response = http.get(TOKEN, params=QUERY | query)
    assert response.status_code == 401
    kind, _, path = response.headers["Www-Authenticate"].partition("=")
    assert kind == "Basic realm"
    return Path(path)


def request_token(http: httpx.Client, **query: str) -> httpx.Response:
    key = request_key_file(http, **query).read_text()
    return http.get(TOKEN, params=QUERY | query, headers={"Authorization": f"Basic {key}"})


def test_the_challenge_names_a_key_file_of_the_folder(arc: Emulator, http: httpx.Client) -> None:
    path = request_key_file(http)
    assert path.parent == arc.arc_token_dir
    assert path.is_absolute()
    assert path.suffix == ".key"
    assert len(path.stem) == 36
    key = path.read_bytes()
    assert 0 < len(key) <= 4096
    assert key == key.strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_valid_for_one_token(arc: Emulator, http: httpx.Client) -> None:
    path = request_key_file(http)
    headers = {"Authorization": f"Basic {path.read_text()}"}
    assert http.get(TOKEN, params=QUERY, headers=headers).json()["token_type"] == "Bearer"
    assert http.get(TOKEN, params=QUERY, headers=headers).status_code == 401
    assert not path.exists()


@pytest.mark.parametrize("authorization", ["Basic wrong", "Bearer x", "Basic", ""])
def test_a_wrong_key_gets_neither_a_token_nor_a_new_challenge(http: httpx.Client, authorization: str) -> None:
    response = http.get(TOKEN, params=QUERY, headers={"Authorization": authorization})
    assert response.status_code == 401
    assert "Www-Authenticate" not in response.headers


def test_a_key_expires(arc: Emulator, http: httpx.Client) -> None:
    key = request_key_file(http).read_text()
    arc.clock.advance(301)
    assert http.get(TOKEN, params=QUERY, headers={"Authorization": f"Basic {key}"}).status_code == 401


def test_the_number_of_unused_keys_is_limited(arc: Emulator, http: httpx.Client) -> None:
    for _ in range(300):
        request_key_file(http)
    assert len(list(arc.arc_token_dir.iterdir())) <= 256


def test_the_folder_of_the_key_files_can_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "Łódź €"
    folder.mkdir()
    with Emulator(arc=True, arc_token_dir=folder) as emulator, make_client_for(emulator) as http:
        challenge = http.get("/identity/oauth2/token?api-version=2020-06-01&resource=https://vault.azure.net")
        path = Path(challenge.headers["WWW-Authenticate"].removeprefix("Basic realm="))
        assert (challenge.status_code, path.parent) == (401, folder)
        assert path.read_text()


def test_stop_removes_the_key_files(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "tokens"
    with Emulator(arc=True, arc_token_dir=folder) as emulator, make_client_for(emulator) as http:
        assert request_key_file(http).parent == folder
    assert list(folder.iterdir()) == []
    with Emulator(arc=True) as emulator:
        folder = emulator.arc_token_dir
    assert not folder.exists()


def test_header_and_version_are_checked_before_the_challenge(arc: Emulator, http: httpx.Client) -> None:
    assert http.get(TOKEN, params=QUERY, headers={"Metadata": "no"}).status_code == 400
    assert http.get(TOKEN, params=QUERY | {"api-version": "2017-03-01"}).status_code == 400
    assert list(arc.arc_token_dir.iterdir()) == []


@pytest.mark.parametrize("version", ["2019-11-01", "2020-06-01"])
def test_both_versions_that_clients_use_are_supported(http: httpx.Client, version: str) -> None:
    assert request_token(http, **{"api-version": version}).status_code == 200


def test_the_instance_needs_no_key_and_has_fewer_fields_than_in_azure(http: httpx.Client) -> None:
    document = http.get("/instance", params={"api-version": "2020-06-01"}).json()
    assert document["compute"]["provider"] == "Microsoft.HybridCompute"
    assert "/Microsoft.HybridCompute/machines/" in document["compute"]["resourceId"]
    assert "vmSize" not in document["compute"]
    assert document["compute"]["publicKeys"] is None
    assert (document["compute"]["storageProfile"], document["network"]) == ({}, {})


@pytest.mark.parametrize("path", ["/attested/document", "/scheduledevents", "/loadbalancer", "/identity/info"])
def test_endpoints_that_only_azure_has_are_not_found(http: httpx.Client, path: str) -> None:
    assert http.get(path, params={"api-version": "2020-10-01"}).status_code == 404


@pytest.mark.parametrize("selector", ["client_id", "object_id", "msi_res_id"])
def test_a_newer_agent_returns_the_ids_of_the_user_assigned_identity(
    arc: Emulator, http: httpx.Client, selector: str
) -> None:
    identity = arc.machine.add_user_assigned("id-a")
    ids = {
        "client_id": identity.client_id,
        "object_id": identity.object_id,
        "msi_res_id": identity.resource_id or "",
    }
    body = request_token(http, **{selector: ids[selector]}).json()
    assert {name: body[name] for name in ids} == ids
    assert list(body) == sorted(body)
    assert request_token(http, client_id="00000000-0000-0000-0000-00000000dead").status_code == 400


def test_mi_res_id_is_ignored_unless_the_agent_is_configured_to_accept_it(arc: Emulator, http: httpx.Client) -> None:
    identity = arc.machine.add_user_assigned("id-a")
    resource_id = identity.resource_id or ""
    assert request_token(http, mi_res_id=resource_id).json()["client_id"] != identity.client_id
    with Emulator(arc=True, accept_mi_res_id=True, machine=arc.machine) as other, make_client_for(other) as client:
        assert request_token(client, mi_res_id=resource_id).json()["client_id"] == identity.client_id


def test_a_legacy_agent_ignores_the_selector() -> None:
    machine = Machine()
    identity = machine.add_user_assigned("id-a")
    with Emulator(arc=True, arc_echo=False, machine=machine) as emulator, make_client_for(emulator) as http:
        body = request_token(http, client_id=identity.client_id).json()
        assert not {"client_id", "object_id", "msi_res_id"} & set(body)
        own = request_token(http).json()
        assert body["access_token"] == own["access_token"]


def test_an_azure_machine_has_no_key_folder(arc: Emulator) -> None:
    with Emulator() as emulator, pytest.raises(RuntimeError, match="arc=True"):
        _ = emulator.arc_token_dir


def test_requests_do_not_show_the_key(arc: Emulator, http: httpx.Client) -> None:
    key = request_key_file(http).read_text()
    http.get(TOKEN, params=QUERY, headers={"Authorization": f"Basic {key}"})
    assert arc.requests[-1].headers["authorization"] == f"Basic {key}"
    assert key not in repr(arc.requests[-1]) + repr(list(arc.requests)) + str(arc.requests[-1].headers)
