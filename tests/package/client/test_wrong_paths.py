"""A path that does not exist: the error names the nearest paths and what the last existing node has."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from azure_imds import NotFoundError
from azure_imds._client import path_suggestions
from azure_imds._client.path_suggestions import explain_missing
from azure_imds_api.members import MEMBERS, Member
from azure_imds_emulator import Emulator
from support import Colour, Script, answer

NOT_FOUND = answer(404, {"error": "Not found"})
A_MINUTE = "try again in a minute"


def missing(colour: Colour, path: str) -> NotFoundError:
    error = colour.error(lambda imds: imds.get(path), transport=Script(NOT_FOUND))
    assert isinstance(error, NotFoundError)
    return error


def test_a_misspelled_name_gets_the_right_one(colour: Colour) -> None:
    error = missing(colour, "compute/nme")
    assert error.hint.startswith("compute/nme: did you mean compute/name? compute has additionalCapabilities, ")
    assert "vmSize" in error.hint
    assert error.hint in str(error)
    assert A_MINUTE not in str(error)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/compute/nme/", "compute/name"),
        ("compute/vm_size", "compute/vmSize"),
        ("compute/vmsize", "compute/vmSize"),
        ("COMPUTE/name", "compute/name"),
        ("computer", "compute"),
        ("compute/storageProfil/osDisk/name", "compute/storageProfile/osDisk/name"),
        ("compute/storageProfil/osDisc/name", "compute/storageProfile/osDisk/name"),
        ("Compute/Name", "compute/name"),
        ("instance/compute/nme", "compute/name"),
        ("compute/storageprofile/dataDisks/lun", "compute/storageProfile/dataDisks/0/lun"),
        ("Compute/qqqq", "compute"),
        ("compute/tags_list/0/name", "compute/tagsList/0/name"),
        ("compute/tagsList/name", "compute/tagsList/0/name"),
        ("compute/tagsList/nme", "compute/tagsList/0/name"),
        ("network/interface/ipv4/subnet", "network/interface/0/ipv4/subnet"),
        ("network/interface/3/macAdress", "network/interface/3/macAddress"),
        ("compute.location", "compute/location"),
        ("compute.storageProfile.osDisk", "compute/storageProfile/osDisk"),
        ("instance/compute/name", "compute/name"),
        ("metadata/instance/compute/name", "compute/name"),
        ("location", "compute/location"),
        ("privateIpAddress", "network/interface/0/ipv4/ipAddress/0/privateIpAddress"),
    ],
)
def test_the_path_that_was_meant(path: str, meant: str) -> None:
    hint = missing(Colour("sync"), path).hint
    question = hint.partition("?")[0]
    assert f"{question}?".startswith(
        (f"{path.strip('/')}: did you mean {meant}?", f"{path.strip('/')}: did you mean {meant} or ")
    )
    assert A_MINUTE not in hint


def test_several_paths_may_have_been_meant() -> None:
    hint = missing(Colour("sync"), "compute/diskSizeGB").hint
    disks = "compute/storageProfile/dataDisks/0/diskSizeGB or compute/storageProfile/osDisk/diskSizeGB"
    assert hint.startswith(f"compute/diskSizeGB: did you mean {disks}? ")


def test_without_a_similar_name_the_names_that_exist_remain() -> None:
    hint = missing(Colour("sync"), "qqqq").hint
    assert hint == "qqqq is not a known path. The document has compute, extended, network."


def test_below_a_list_comes_an_index() -> None:
    hint = missing(Colour("sync"), "network/interface/x").hint
    rest = "network/interface is a list, so an index comes next, such as network/interface/0."
    assert hint == f"network/interface/x is not a known path. {rest}"


def test_nothing_is_below_a_single_value() -> None:
    hint = missing(Colour("sync"), "compute/zone/1").hint
    rest = "compute/zone is a single value, with nothing below it."
    assert hint == f"compute/zone/1 is not a known path. {rest}"


@pytest.mark.parametrize("path", ["compute/name", "network/interface/7", "network/interface/7/ipv4", "extended"])
def test_a_path_that_the_contract_knows_may_come_later(colour: Colour, path: str) -> None:
    error = missing(colour, path)
    assert error.hint.startswith(f"{path} is a known path, but ")
    assert A_MINUTE in error.hint


def test_a_model_that_contains_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    members: dict[str, Any] = {"parent": Member("parent", "Compute"), "children": Member("children", "Compute", True)}
    monkeypatch.setattr(path_suggestions, "MEMBERS", {**MEMBERS, "Compute": members})
    assert explain_missing("instances.get_metadata", ["compute", "parent", "parent", "children", "2"]).startswith(
        "compute/parent/parent/children/2 is a known path"
    )
    assert "did you mean compute/parent?" in explain_missing("instances.get_metadata", ["parent"])
    assert "is not a known path" in explain_missing("instances.get_metadata", ["qqqq"])


def test_a_document_that_the_contract_does_not_describe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_suggestions, "RESULTS", {})
    assert missing(Colour("sync"), "compute/nme").hint.startswith("Check the path.")


def test_a_wrong_path_at_the_emulator(colour: Colour) -> None:
    with Emulator() as emulator:
        error = colour.error(lambda imds: imds.get("compute/nme"), endpoint=emulator.endpoint)
    assert isinstance(error, NotFoundError)
    assert "did you mean compute/name?" in str(error)


PROGRAM = """
import sys
import httpx
from azure_imds import ImdsClient

def answer(request):
    is_text = request.url.params.get("format") == "text"
    return httpx.Response(200, text="x") if is_text else httpx.Response(400, json={"error": "Bad request"})

with ImdsClient(transport=httpx.MockTransport(answer)) as imds:
    assert imds.get("compute/name") == "x"
rarely = ("difflib", "azure_imds_api.members", "azure_imds._client.path_suggestions", "azure_imds_api.lenient_reader")
print([name for name in rarely if name in sys.modules])
"""


def test_suggestions_are_imported_for_an_error_only() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
