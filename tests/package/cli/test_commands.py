"""Every command calls its operation and prints the result in each form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

import azure_imds
from azure_imds._cli.claims import read_claims
from azure_imds._cli.values import MASK
from azure_imds._cli.verification import SigningCloud
from azure_imds.attestation._document import Cloud
from azure_imds_emulator import Emulator
from cli_support import Run

RESOURCE = "https://vault.azure.net"
UNKNOWN_ID = "00000000-0000-0000-0000-00000000dead"

#: Each command, the path it requests, and the path and value of a leaf in its answer.
COMMANDS: dict[str, tuple[list[str], str, str, str]] = {
    "token": (["token", RESOURCE], "/metadata/identity/oauth2/token", "resource", RESOURCE),
    "instance": (["instance"], "/metadata/instance", "compute/location", "eastus"),
    "a part": (["instance", "compute/tagsList"], "/metadata/instance/compute/tagsList", "0/name", "Department"),
    "identity": (["identity"], "/metadata/identity/info", "tenantId", "00000000-0000-0000-0000-000000000002"),
    "attested": (["attested"], "/metadata/attested/document", "encoding", "pkcs7"),
    "events": (["events"], "/metadata/scheduledevents", "Events/0/EventType", "Reboot"),
    "loadbalancer": (["loadbalancer"], "/metadata/loadbalancer", "loadbalancer/inboundRules/0/protocol", "tcp"),
    "versions": (["versions"], "/metadata/versions", "apiVersions/0", "2017-03-01"),
}


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest, emulator: Emulator) -> tuple[list[str], str, str, str]:
    emulator.schedule("Reboot", notice=60)
    return COMMANDS[request.param]


def find_part(value: Any, path: str) -> Any:
    for name in path.split("/"):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def test_a_command_requests_its_own_path(command: Any, call: Run, emulator: Emulator) -> None:
    arguments, path, _, _ = command
    assert call(*arguments).status == 0
    assert [request.path for request in emulator.requests] == [path]


def test_json_is_the_answer_of_imds(command: Any, call: Run) -> None:
    arguments, _, path, value = command
    assert find_part(call(*arguments, "--output", "json").json, path) == value


def test_a_query_prints_a_leaf_without_quotes(command: Any, call: Run) -> None:
    arguments, _, path, value = command
    assert call(*arguments, "--query", path).out == f"{value}\n"


def test_text_is_a_line_for_each_leaf_with_its_path(command: Any, call: Run) -> None:
    arguments, _, path, value = command
    assert f"{path}\t{value}" in call(*arguments, "--output", "text").out.splitlines()


def test_a_table_shows_the_value(command: Any, call: Run) -> None:
    arguments, _, _, value = command
    assert value in call(*arguments, "--output", "table").out


def test_piped_an_answer_is_json(call: Run, emulator: Emulator) -> None:
    assert call("instance").json["compute"]["location"] == "eastus"


def test_a_command_writes_nothing_to_stderr(command: Any, call: Run) -> None:
    assert call(*command[0]).err == ""


def test_a_leaf_of_the_instance_is_printed_without_quotes(call: Run, emulator: Emulator) -> None:
    assert call("instance", "compute/location").out == "eastus\n"


def test_a_leaf_as_json_is_quoted(call: Run, emulator: Emulator) -> None:
    assert call("instance", "compute/location", "--output", "json").out == '"eastus"\n'


def test_an_empty_leaf_is_an_empty_line(call: Run, emulator: Emulator) -> None:
    assert call("instance", "compute/vmScaleSetName").out == "\n"


def test_a_query_is_a_path_into_a_part(call: Run, emulator: Emulator) -> None:
    done = call("instance", "network", "--query", "interface/0/ipv4/subnet/0/prefix")
    assert done.out == "24\n"


def test_a_query_of_a_node_has_a_view_of_its_own(call: Run, emulator: Emulator) -> None:
    done = call("instance", "--query", "compute/tagsList", "--output", "table")
    assert done.out.split()[:4] == ["name", "value", "Department", "Example"]


def test_letters_outside_ascii_are_not_escaped(call: Run, emulator: Emulator) -> None:
    emulator.fail(path="/metadata/instance", body={"compute": {"name": "größe"}})
    assert '"größe"' in call("instance").out


def test_in_a_pipe_control_characters_are_kept(call: Run, emulator: Emulator) -> None:
    emulator.fail(path="/metadata/instance", body={"compute": {"name": "vm\x1b[31m"}}, times=2)
    assert call("instance").json["compute"]["name"] == "vm\x1b[31m"
    assert call("instance", "--query", "compute/name").out == "vm\x1b[31m\n"


def test_an_empty_list_is_stated(call: Run, emulator: Emulator) -> None:
    assert "No events are scheduled." in call("events", "--output", "table").out


def test_empty_values_are_counted_in_a_view(call: Run, emulator: Emulator) -> None:
    assert "Empty values, not shown: " in call("instance", "--output", "table").out


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "option",
    [
        ["--output", "json"],
        ["--query", "compute/name"],
        ["--endpoint", "{endpoint}"],
        ["--deadline", "5"],
        ["--api-version", "2021-02-01"],
        ["--verbose"],
    ],
    ids=lambda option: option[0],
)
def test_an_option_is_accepted_before_and_after_the_command(
    option: list[str], before: bool, call: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    if option[0] == "--endpoint":
        monkeypatch.delenv("AZURE_POD_IDENTITY_AUTHORITY_HOST")
        option = ["--endpoint", emulator.endpoint]
    done = call(*option, "instance") if before else call("instance", *option)
    assert done.status == 0
    assert "vm-example-0" in done.out
    version = emulator.requests[0].query["api-version"]
    assert ("2021-02-01" in version) == (option[0] == "--api-version")
    assert ("attempt 1" in done.err) == (option == ["--verbose"])


def test_an_option_after_the_command_overrides_one_before_it(call: Run, emulator: Emulator) -> None:
    done = call("--query", "compute/name", "instance", "--query", "compute/location")
    assert done.out == "eastus\n"


@pytest.mark.parametrize("command", ["token", "instance", "identity", "attested", "events", "loadbalancer"])
def test_the_given_version_is_requested(command: str, call: Run, emulator: Emulator) -> None:
    version = "2019-08-01" if command == "events" else "2020-10-01"
    arguments = [command, RESOURCE] if command == "token" else [command]
    assert call(*arguments, "--api-version", version).status == 0
    assert version in str(emulator.requests[0].query)


@pytest.mark.parametrize("arguments", [["versions"], ["doctor"], ["events", "--watch"]])
def test_a_command_without_versions_refuses_the_option(arguments: list[str], call: Run, emulator: Emulator) -> None:
    done = call("--api-version", "2020-10-01", *arguments)
    assert done.status == 2
    assert f"Invalid value for '--api-version': not supported by {' '.join(arguments)}" in " ".join(done.err.split())
    assert not emulator.requests


def test_verbose_logs_each_attempt(call: Run, emulator: Emulator) -> None:
    emulator.fail(410, path="/metadata/versions")
    emulator.fail(headers={"X-Nothing": "1"})
    done = call("versions", "--verbose", "--deadline", "4")
    assert "azure-imds: GET" in done.err
    assert "410, attempt 1" in done.err


def test_the_logger_is_restored(call: Run, emulator: Emulator) -> None:
    import logging

    logger = logging.getLogger("azure_imds")
    before = (logger.level, list(logger.handlers))
    call("versions", "--verbose")
    assert (logger.level, list(logger.handlers)) == before


def test_the_version_is_that_of_the_package_and_the_specification(call: Run) -> None:
    done = call("--version")
    assert done.out == f"azure-imds {azure_imds.__version__} (specification {azure_imds.spec_version})\n"


def test_in_a_pipe_only_the_token_is_printed(call: Run, emulator: Emulator) -> None:
    [token] = call("token", RESOURCE).out.split()
    assert read_claims(token)["aud"] == RESOURCE


def test_raw_prints_only_the_token(call: Run, emulator: Emulator) -> None:
    assert call("token", RESOURCE, "--raw").out == call("token", RESOURCE).out


def test_json_in_a_pipe_holds_the_token(call: Run, emulator: Emulator) -> None:
    assert read_claims(call("token", RESOURCE, "--output", "json").json["access_token"])["aud"] == RESOURCE


def test_a_table_never_shows_the_token(call: Run, emulator: Emulator) -> None:
    for more in ([], ["--raw"], ["--query", "access_token"]):
        done = call("token", RESOURCE, "--output", "table", *more)
        assert MASK in done.out
        assert "eyJ" not in done.out


def test_a_table_shows_the_claims_and_when_the_token_expires(call: Run, emulator: Emulator) -> None:
    out = call("token", RESOURCE, "--output", "table").out
    assert emulator.machine.tenant_id in out
    assert "in 23 h 59 min" in out or "in 1 d 0 h" in out


def test_an_opaque_token_has_no_claims_to_show(call: Run, emulator: Emulator) -> None:
    emulator.fail(body={"access_token": "opaque", "expires_on": "4102444800"})
    out = call("token", RESOURCE, "--output", "table").out
    assert "The token is not a JWT, so its claims cannot be shown." in out
    assert "opaque" not in out


@pytest.mark.parametrize(
    ("option", "member", "sent"),
    [
        ("--client-id", "client_id", "client_id"),
        ("--object-id", "object_id", "object_id"),
        ("--resource-id", "resource_id", "msi_res_id"),
    ],
)
def test_an_identity_is_chosen_by_its_id(option: str, member: str, sent: str, call: Run, emulator: Emulator) -> None:
    identity = emulator.machine.add_user_assigned("id-web")
    value = getattr(identity, member)
    token = call("token", RESOURCE, option, value).out
    assert read_claims(token)["oid"] == identity.object_id
    assert value in str(emulator.requests[0].query[sent])


def test_verbose_logs_no_token(call: Run, emulator: Emulator) -> None:
    done = call("token", RESOURCE, "--verbose")
    assert "attempt 1" in done.err
    assert "eyJ" not in done.err


def test_text_that_is_not_a_jwt_has_no_claims() -> None:
    for text in ("", "a", "a.b", "a.b.c", "a.bnVsbA.c", "a.W10.c", "ü.ü.ü"):
        assert read_claims(text) == {}


def write_certificates(emulator: Emulator, folder: Path) -> list[str]:
    options: list[str] = []
    for name, found in (("roots", emulator.attested_roots), ("intermediates", emulator.attested_intermediates)):
        (folder / name).write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in found))
        options += [f"--{name}", str(folder / name)]
    return options


def test_a_nonce_is_sent_as_given(call: Run, emulator: Emulator) -> None:
    call("attested", "--nonce", "0123456789")
    assert "0123456789" in str(emulator.requests[0].query["nonce"])


def test_without_verification_no_nonce_is_added(call: Run, emulator: Emulator) -> None:
    call("attested")
    assert "nonce" not in emulator.requests[0].query


@pytest.mark.parametrize("option", ["--roots", "--intermediates"])
def test_endless_certificates_are_refused(option: str, call: Run, emulator: Emulator) -> None:
    done = call("attested", "--verify", option, "/dev/zero")
    assert done.status == 2
    text = " ".join(done.err.replace("│", " ").split())
    assert f"'{option}': /dev/zero cannot be read: it is larger than 1 MiB. It must be a file of" in text
    assert not emulator.requests


def test_the_content_of_a_verified_document_is_shown(call: Run, emulator: Emulator, tmp_path: Path) -> None:
    done = call("attested", "--verify", *write_certificates(emulator, tmp_path))
    assert done.status == 0
    assert done.json["vmId"] == emulator.machine.compute["vmId"]


def test_verification_sends_a_new_nonce_of_ten_digits(call: Run, emulator: Emulator, tmp_path: Path) -> None:
    options = write_certificates(emulator, tmp_path)
    nonces = [call("attested", "--verify", *options).json["nonce"] for _ in range(2)]
    assert nonces[0] != nonces[1]
    assert all(len(nonce) == 10 and nonce.isdigit() for nonce in nonces)


def test_verification_sends_the_given_nonce(call: Run, emulator: Emulator, tmp_path: Path) -> None:
    done = call("attested", "--verify", "--nonce", "42", *write_certificates(emulator, tmp_path))
    assert done.json["nonce"] == "42"


def test_a_table_states_that_the_document_is_verified(call: Run, emulator: Emulator, tmp_path: Path) -> None:
    done = call("attested", "--verify", "--output", "table", *write_certificates(emulator, tmp_path))
    assert "Verified: Azure signed this document about this machine." in done.out


def test_an_event_is_approved_by_its_id(call: Run, emulator: Emulator) -> None:
    event = emulator.schedule("Reboot", notice=600)
    done = call("events", "--approve", event.event_id)
    assert done.json == {"approved": event.event_id}
    assert emulator.events.events[0].status == "Started"


def test_watching_and_approving_cannot_be_combined(call: Run, emulator: Emulator) -> None:
    assert call("events", "--watch", "--approve", "x").status == 2
    assert not emulator.requests


def test_the_json_of_every_command_is_one_document(command: Any, call: Run) -> None:
    assert json.loads(call(*command[0], "--output", "json").out) is not None


def test_an_unknown_identity_is_refused(call: Run, emulator: Emulator) -> None:
    done = call("token", RESOURCE, "--client-id", UNKNOWN_ID)
    assert done.out == ""
    assert "Identity not found" in done.err
    assert "Assign a managed identity" in done.err


def test_a_choice_between_identities_is_named_by_options(call: Run) -> None:
    with Emulator(machine="two-identities") as emulator:
        done = call("token", RESOURCE, "--endpoint", emulator.endpoint)
    assert "by --client-id, --object-id or --resource-id. IMDS cannot list them." in " ".join(done.err.split())
    assert "res_id" not in done.err


def test_the_clouds_of_the_option_are_those_that_can_be_verified() -> None:
    assert tuple(SigningCloud) == get_args(Cloud)
