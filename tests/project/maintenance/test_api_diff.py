"""What a change of the specification means for users: each kind of change, and the comparisons that find it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import azure_imds
from generator.generate import generate
from maintenance.api_diff import command, signatures, type_checks
from maintenance.api_diff.changes import Change, Subject, format_changes
from maintenance.api_diff.comparison import compare
from maintenance.api_diff.data_diff import compare_data
from maintenance.api_diff.semantic_version import suggest_version
from maintenance.problem import Problem
from maintenance.surface import read_surface
from maintenance_support import edited, git, made_once, repository, tree
from support import ROOT

pytestmark = pytest.mark.integration


def many(document: dict[str, Any]) -> None:
    """Makes one change of each kind."""
    paths, schemas = document["paths"], document["components"]["schemas"]
    token = paths["/identity/oauth2/token"]["get"]
    given = {parameter["name"]: parameter for parameter in token["parameters"] if "name" in parameter}
    token["parameters"].remove(given["authority"])
    given["client_id"]["schema"]["pattern"] = "^[0-9a-f-]{36}$"
    given["resource"]["schema"]["maxLength"] = 100
    token["parameters"] += [
        {"name": "purpose", "in": "query", "schema": {"type": "string", "description": "Why."}},
        {"name": "tenant", "in": "query", "required": True, "schema": {"type": "string", "description": "Whose."}},
    ]
    token["x-retry-statuses"] = [404, 409]
    nonce = paths["/attested/document"]["get"]["parameters"]
    next(parameter for parameter in nonce if parameter.get("name") == "nonce")["required"] = True
    paths["/loadbalancer"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "$ref": "#/components/schemas/Instance"
    }
    paths["/versions"]["get"]["operationId"] = "Versions_ListVersions"
    paths["/identity/info"]["get"]["deprecated"] = True
    document["servers"][1]["url"] = "http://localhost:40343/metadata"
    compute = schemas["Compute"]["properties"]
    compute["rack"] = {"type": "string", "description": "Where it is."}
    compute["vmSize"] = {"type": "integer", "description": "How large."}
    compute["location"]["description"] = "Another description."
    del compute["zone"]
    del schemas["AmdCertification"]["x-absent"]
    schemas["ErrorResponse"]["x-absent"] = "empty"
    schemas["IdentityTokenResponse"]["required"].append("token_type")
    schemas["IdentityInfoResponse"]["required"].remove("tenantId")
    events = schemas["KnownEventType"]["enum"]
    events[events.index("Freeze")] = "Nap"
    schemas["StartRequest"]["properties"]["Reason"] = {"type": "string", "description": "Why now."}
    schemas["StartRequest"]["required"].append("Reason")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Change]:
    """The changes, by the name of the subject and the text."""

    def compared() -> list[Change]:
        old, new = (tree(tmp_path_factory.mktemp(name)) for name in ("old", "new"))
        (new / "openapi.yaml").write_text(edited(many), encoding="utf-8")
        generate(new)
        return compare(old, new)

    changes = made_once(tmp_path_factory, "api-diff", compared)
    return {(change.subject.name, change.what): change for change in changes}


CHECKERS = {"mypy", "pyright"}

BREAKING = [
    ("identity.get_token(authority)", "is removed", {"griffe", *CHECKERS}),
    ("identity.get_token(tenant)", "is new and required", {"griffe", *CHECKERS}),
    ("identity.get_token(resource)", "maxLength is 100 instead of null", {"data"}),
    ("attested.get_document(nonce)", "is now required", {"griffe", *CHECKERS}),
    ("load_balancer.get_metadata", "returns Instance instead of LoadBalancerResponse", CHECKERS),
    ("versions.get_versions", "is removed", {"griffe", *CHECKERS}),
    ("arc", "url is http://localhost:40343/metadata instead of http://localhost:40342/metadata", {"data"}),
    ("Compute.vm_size", "is int | None instead of str", CHECKERS),
    ("Compute.zone", "is removed", {"griffe", *CHECKERS}),
    ("AmdCertification.tcbm", "is str | None instead of str", CHECKERS),
    ("AmdCertification.cache_control", "is str | None instead of str", CHECKERS),
    ("ErrorResponse.error", "is str instead of str | None, and reads as empty if it is absent", {"surface"}),
    (
        "ErrorResponse.newest_versions",
        "is list[str] instead of list[str] | None, and reads as empty if it is absent",
        {"surface"},
    ),
    ("IdentityInfoResponse.tenant_id", "is str | None instead of str", CHECKERS),
    ("KnownEventType", "no longer has the value 'Freeze'", {"surface"}),
    ("StartRequest.reason", "is new and required", CHECKERS),
]

COMPATIBLE = [
    ("identity.get_token(purpose)", "is new"),
    ("identity.get_token", "retry_statuses is [404, 409] instead of [404]"),
    ("versions.list_versions", "is new"),
    ("Compute.rack", "is new"),
    ("Compute.location", "has another description"),
    ("IdentityTokenResponse.token_type", "is str instead of str | None"),
    ("KnownEventType", "has the new value 'Nap'"),
    ("identity.get_info", "is deprecated"),
]


@pytest.mark.parametrize(
    ("model", "required"),
    [("IdentityTokenResponse", "access_token"), ("WorkloadIdentityTokenRequest", "client_assertion")],
)
def test_a_required_secret_is_a_required_field(model: str, required: str) -> None:
    # Its declaration has a value, which hides it from the repr.
    assert required in read_surface(ROOT).models[model].required


@pytest.mark.parametrize(("name", "what", "seen_by"), BREAKING, ids=[f"{n}: {w}" for n, w, _ in BREAKING])
def test_a_breaking_change_is_found_by_every_comparison_that_can_find_it(
    found: dict[tuple[str, str], Change], name: str, what: str, seen_by: set[str]
) -> None:
    change = found[name, what]
    assert change.effect == "breaking"
    assert seen_by <= change.seen_by


@pytest.mark.parametrize(("name", "what"), COMPATIBLE, ids=[f"{n}: {w}" for n, w in COMPATIBLE])
def test_an_addition_or_looser_constraint_is_compatible(
    found: dict[tuple[str, str], Change], name: str, what: str
) -> None:
    assert found[name, what].effect == "compatible"


def test_no_other_change_is_breaking(found: dict[tuple[str, str], Change]) -> None:
    breaking = {key for key, change in found.items() if change.effect == "breaking"}
    patterns = {key for key in breaking if key[0] == "identity.get_token(client_id)"}
    assert len(patterns) == 1, "the change of the pattern"
    assert breaking - patterns == {(name, what) for name, what, _ in BREAKING}


def test_neither_signatures_nor_types_alone_find_everything(found: dict[tuple[str, str], Change]) -> None:
    seen = [change.seen_by for change in found.values() if change.effect == "breaking"]
    assert any("griffe" not in who and who >= CHECKERS for who in seen)
    assert any(not who & {"griffe", *CHECKERS} for who in seen)


def test_the_table_lists_breaking_changes_first(found: dict[tuple[str, str], Change]) -> None:
    effects = [change.effect for change in found.values()]
    assert effects == sorted(effects)
    lines = format_changes(list(found.values())).splitlines()
    assert len(lines) == len(found) + 2
    assert all(line.startswith("| ") and line.endswith(" |") and len(line) == len(lines[0]) for line in lines)


def test_a_new_default_counts_as_breaking() -> None:
    def side(default: str | None) -> dict[str, Any]:
        defaults = {} if default is None else {"v": default}
        return {"operations": {"a.b": {"rules": {"v": {}}, "defaults": defaults}}, "servers": {}, "secrets": []}

    assert [c.effect for c in compare_data(side("1"), side("2"))] == ["breaking"]
    assert [c.effect for c in compare_data(side(None), side("2"))] == ["compatible"]


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ({"maxLength": 5}, {"maxLength": 4}, "breaking"),
        ({"maxLength": 5}, {"maxLength": 6}, "compatible"),
        ({"maxLength": 5}, {}, "compatible"),
        ({}, {"minLength": 1}, "breaking"),
        ({"minimum": 2}, {"minimum": 1}, "compatible"),
        ({"pattern": "a"}, {"pattern": "b"}, "breaking"),
        ({"pattern": "a"}, {}, "compatible"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "breaking"),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, "compatible"),
        ({}, {"enum": ["a"]}, "breaking"),
        ({}, {"resource": True}, "compatible"),
        ({"resource": True}, {}, "compatible"),
        ({}, {"aliases": ["b"]}, "compatible"),
        ({"items": {"maxLength": 2}}, {"items": {"maxLength": 1}}, "breaking"),
        ({"properties": {"p": {"maxLength": 2}}}, {"properties": {"p": {"maxLength": 1}}}, "breaking"),
    ],
)
def test_a_tighter_constraint_is_breaking(old: dict[str, Any], new: dict[str, Any], effect: str) -> None:
    def side(rule: dict[str, Any]) -> dict[str, Any]:
        return {"operations": {"a.b": {"rules": {"v": rule}, "defaults": {}}}, "servers": {}, "secrets": []}

    assert [change.effect for change in compare_data(side(old), side(new))] == [effect]


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ([], [["a", "b"]], "breaking"),
        ([["a", "b"]], [["a", "b", "c"]], "breaking"),
        ([["a", "b", "c"]], [["a", "b"]], "compatible"),
        ([["a", "b"]], [], "compatible"),
    ],
)
def test_a_larger_exclusive_group_is_breaking(old: list[Any], new: list[Any], effect: str) -> None:
    def side(groups: list[Any]) -> dict[str, Any]:
        operation = {"rules": {}, "defaults": {}, "exclusive": groups}
        return {"operations": {"a.b": operation}, "servers": {}, "secrets": []}

    assert {change.effect for change in compare_data(side(old), side(new))} == {effect}


def change(effect: Any, *, new: bool = False) -> Change:
    return Change(Subject("field", "A.b"), "changed", effect, frozenset({"surface"}), new=new)


@pytest.mark.parametrize(
    ("version", "changes", "expected"),
    [
        ("0.1.0", [], "0.1.0"),
        ("0.1.0", [change("compatible")], "0.1.1"),
        ("0.1.0", [change("compatible", new=True)], "0.1.1"),
        ("0.1.3", [change("breaking"), change("compatible")], "0.2.0"),
        ("1.2.3", [change("compatible")], "1.2.4"),
        ("1.2.3", [change("compatible", new=True)], "1.3.0"),
        ("1.2.3", [change("breaking")], "2.0.0"),
    ],
)
def test_the_suggested_version_follows_semantic_versioning(version: str, changes: list[Change], expected: str) -> None:
    assert suggest_version(version, changes) == expected


def test_an_invalid_version_is_refused() -> None:
    with pytest.raises(Problem, match=r"^the version must consist of three numbers, .* but is '1\.0rc1'$"):
        suggest_version("1.0rc1", [change("breaking")])


class Arguments:
    """The options of the command."""

    def __init__(self, base: str, *, gate: bool = False) -> None:
        self.base, self.gate = base, gate


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit. It is the current folder."""
    folder = repository(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def test_the_command_reports_that_nothing_changed(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type_checks, "check_contract", lambda contract, tree, folder: [])
    assert command.run(Arguments("HEAD")) == 0  # type: ignore[arg-type]
    assert capsys.readouterr().out == "Nothing changes for users.\n"


@pytest.mark.parametrize("base", ["no-such-tag", "-x"])
def test_an_unknown_base_is_refused(here: Path, base: str) -> None:
    with pytest.raises(Problem, match=f"^--base '{base}' cannot be read: "):
        command.run(Arguments(base))  # type: ignore[arg-type]


def test_the_exit_code_reports_breaking_changes_and_the_gate_requires_the_suggested_version(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "compare", lambda old, new: [change("breaking")])
    assert command.run(Arguments("HEAD")) == command.BREAKING_EXIT  # type: ignore[arg-type]
    assert "Version 0.1.0 -> 0.2.0" in capsys.readouterr().out
    with pytest.raises(Problem, match=r"the version is 0\.1\.0, but these changes require 0\.2\.0"):
        command.run(Arguments("HEAD", gate=True))  # type: ignore[arg-type]
    version = here / "wrapper" / "azure_imds" / "_version.py"
    version.write_text(version.read_text(encoding="utf-8").replace("0.1.0", "0.2.0"), encoding="utf-8")
    assert command.run(Arguments("HEAD", gate=True)) == 0  # type: ignore[arg-type]


def test_the_base_is_read_from_git_and_not_from_the_folder(here: Path, tmp_path: Path) -> None:
    (here / "generated" / "azure_imds_api" / "__init__.py").write_text("raise SystemExit", encoding="utf-8")
    base = command.check_out(here, "HEAD", tmp_path)
    assert (base / "generated/azure_imds_api/__init__.py").read_text(encoding="utf-8") != "raise SystemExit"
    assert git(here, "status", "--porcelain").split() == ["M", "generated/azure_imds_api/__init__.py"]


def test_signatures_of_all_public_names_are_compared() -> None:
    module = signatures._load(ROOT / "wrapper", "azure_imds")
    assert sorted(map(str, module.exports or [])) == azure_imds.__all__


def test_a_changed_signature_of_the_package_is_a_breakage(tmp_path: Path) -> None:
    for folder in ("wrapper", "generated"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    file = tmp_path / "wrapper" / "azure_imds" / "_values.py"
    source = file.read_text(encoding="utf-8")
    assert source.count("def as_int(text: ") == 1
    file.write_text(source.replace("def as_int(text: ", "def as_int(digits: "), encoding="utf-8")
    breakages = signatures.find_breakages(ROOT, tmp_path)
    assert {change.subject.name for change in breakages} == {
        "azure_imds._values.as_int(text)",
        "azure_imds._values.as_int(digits)",
    }
