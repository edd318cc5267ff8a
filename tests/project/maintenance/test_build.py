"""What `make build` makes, and what it refuses to."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from maintenance import build, privacy, repository
from maintenance.contents import check_sdist, check_wheel
from maintenance.problem import Problem
from maintenance_support import copy, made_once
from support import ROOT

pytestmark = pytest.mark.integration

VERSION = repository.version(ROOT)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project, with what `make build` makes of it in dist/."""

    def make() -> Path:
        folder = copy(tmp_path_factory.mktemp("build") / "project")
        build.build(folder, folder / "dist")
        return folder

    return made_once(tmp_path_factory, "build", make)


@pytest.fixture
def wheel(project: Path, tmp_path: Path) -> Path:
    """A wheel that a test may spoil."""
    return Path(shutil.copy(project / "dist" / f"azure_imds-{VERSION}-py3-none-any.whl", tmp_path))


@pytest.fixture
def sdist(project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(project / "dist" / f"azure_imds-{VERSION}.tar.gz", tmp_path))


@pytest.fixture(scope="module")
def bill(project: Path) -> Any:
    return json.loads((project / "dist" / f"azure_imds-{VERSION}.cdx.json").read_text(encoding="utf-8"))


def add(archive: Path, name: str, content: str = "") -> None:
    """Plants a file into a wheel or, beside its other files, into a source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive, "a") as wheel:
            wheel.writestr(name, content)
        return
    text = content.encode()
    stray = tarfile.TarInfo(f"azure_imds-{VERSION}/{name}")
    stray.size = len(text)
    unpacked = gzip.decompress(archive.read_bytes())
    with tarfile.open(fileobj=(grown := io.BytesIO(unpacked)), mode="a") as sdist:
        sdist.addfile(stray, io.BytesIO(text))
    archive.write_bytes(gzip.compress(grown.getvalue()))


def without(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as old:
        members = {member: old.read(member) for member in old.namelist() if member != name}
    with zipfile.ZipFile(wheel, "w") as new:
        for member, content in members.items():
            new.writestr(member, content)


def replace(wheel: Path, name: str, content: str) -> None:
    without(wheel, name)
    add(wheel, name, content)


def test_there_are_wheel_sdist_and_bill_of_materials(project: Path) -> None:
    assert sorted(file.name for file in (project / "dist").iterdir()) == [
        f"azure_imds-{VERSION}-py3-none-any.whl",
        f"azure_imds-{VERSION}.cdx.json",
        f"azure_imds-{VERSION}.tar.gz",
    ]


def test_files_are_as_old_as_the_commit(project: Path, sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        assert {member.mtime for member in archive} == {repository.commit_time(project)}


def test_other_bytes_in_a_second_build_are_a_failure(tmp_path: Path) -> None:
    (one := tmp_path / "one").write_bytes(b"1")
    (other := tmp_path / "other").write_bytes(b"2")
    with pytest.raises(Problem, match="one has other bytes when it is built again"):
        build.same((one,), (other,))


def test_what_was_built_passes_its_checks(project: Path, wheel: Path, sdist: Path) -> None:
    check_wheel(wheel, project, repository.tracked(project))
    check_sdist(sdist, project, repository.tracked(project))


@pytest.mark.parametrize("stray", ["azure_imds/notes.txt", "tests/test_client.py", "azure_imds/__pycache__/errors.pyc"])
def test_a_stray_file_in_the_wheel_is_found(project: Path, wheel: Path, stray: str) -> None:
    add(wheel, stray)
    with pytest.raises(Problem, match=rf"holds what git does not track: {stray}"):
        check_wheel(wheel, project, repository.tracked(project))


def test_a_stray_file_in_the_sdist_is_found(project: Path, sdist: Path) -> None:
    add(sdist, "notes.txt")
    with pytest.raises(Problem, match=r"holds what git does not track: notes\.txt"):
        check_sdist(sdist, project, repository.tracked(project))


@pytest.mark.parametrize("vital", ["azure_imds/py.typed", "azure_imds_api/provenance.json", "azure_imds/_log.py"])
def test_a_file_that_the_wheel_lacks_is_missed(project: Path, wheel: Path, vital: str) -> None:
    without(wheel, vital)
    with pytest.raises(Problem, match=f"lacks {vital}"):
        check_wheel(wheel, project, repository.tracked(project))


def test_a_marker_of_types_that_git_lost_is_missed_in_the_wheel(project: Path, wheel: Path) -> None:
    without(wheel, "azure_imds/py.typed")
    with pytest.raises(Problem, match=r"lacks azure_imds/py\.typed"):
        check_wheel(wheel, project, repository.tracked(project) - {"wrapper/azure_imds/py.typed"})


def test_a_test_that_the_sdist_lacks_is_missed(project: Path, sdist: Path) -> None:
    with pytest.raises(Problem, match=r"lacks tests/test_new\.py"):
        check_sdist(sdist, project, repository.tracked(project) | {"tests/test_new.py"})


def test_entry_points_are_those_of_pyproject(project: Path, wheel: Path) -> None:
    replace(wheel, f"azure_imds-{VERSION}.dist-info/entry_points.txt", "[console_scripts]\nazure-imds = other:main\n")
    with pytest.raises(Problem, match="entry points are"):
        check_wheel(wheel, project, repository.tracked(project))


def test_a_folder_of_this_machine_is_found_in_a_file(project: Path, wheel: Path) -> None:
    replace(wheel, "azure_imds/_log.py", f"# {project}\n")
    with pytest.raises(Problem, match=r"names a folder or a package index of this machine: azure_imds/_log\.py"):
        check_wheel(wheel, project, repository.tracked(project))


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("https://me:pw@index.corp.example/simple", "index.corp.example"),
        ("corp=https://index.corp.example/simple", "index.corp.example"),
        ("http://mirror:3141/root", "//mirror"),
        ("file:///srv/index/simple", "/srv/index/simple"),
    ],
)
def test_a_package_index_of_this_machine_is_private(
    setting: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX", setting)
    assert text in privacy.private_texts(tmp_path)


@pytest.mark.parametrize("url", ["https://pypi.org/simple", "http://127.0.0.1:3141/", "http://localhost/"])
def test_what_everybody_knows_is_not_private(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = privacy.private_texts(tmp_path)
    monkeypatch.setenv("UV_INDEX", url)
    assert privacy.private_texts(tmp_path) == private


# The bill of materials


def test_the_bill_is_what_cyclonedx_asks_for(bill: Any) -> None:
    assert bill["specVersion"] == "1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_the_schema_would_find_a_mistake(bill: Any) -> None:
    spoilt = {**bill, "serialNumber": "1"}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(spoilt)) is not None


def test_the_bill_is_the_wheels(bill: Any, wheel: Path) -> None:
    product = bill["metadata"]["component"]
    assert (product["name"], product["version"]) == ("azure-imds", VERSION)
    assert product["hashes"] == [{"alg": "SHA-256", "content": build.sha256(wheel)}]
    assert product["licenses"] == [{"license": {"id": "MIT"}}]


def test_the_bill_has_the_pinned_versions(bill: Any) -> None:
    text = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))
    assert {one["name"]: one["version"] for one in bill["components"]}.items() <= pins.items()


def edges(bill: Any) -> dict[str, set[str]]:
    """What needs what, by name."""
    name = {one["bom-ref"]: one["name"] for one in [*bill["components"], bill["metadata"]["component"]]}
    return {name[one["ref"]]: {name[ref] for ref in one.get("dependsOn", [])} for one in bill["dependencies"]}


def test_the_bill_names_all_that_is_needed_directly(bill: Any) -> None:
    assert edges(bill)["azure-imds"] == {
        *("attrs", "httpx"),
        *("aiohttp", "asn1crypto", "cryptography", "multidict", "pyyaml", "rich", "typer"),
    }


def test_the_bill_knows_what_requirements_need_in_turn(bill: Any) -> None:
    graph = edges(bill)
    assert graph["httpx"] >= {"anyio", "certifi", "httpcore", "idna"}
    assert "h11" in graph["httpcore"]
    assert {*graph} == {"azure-imds", *(one["name"] for one in bill["components"])}


def test_what_only_an_extra_brings_is_optional_and_names_it(bill: Any) -> None:
    scopes = {
        one["name"]: (one["scope"], {each["value"] for each in one.get("properties", [])}) for one in bill["components"]
    }
    assert scopes["httpcore"] == ("required", set())
    assert scopes["cryptography"] == ("optional", {"all", "attestation", "emulator"})
    assert scopes["typer"] == ("optional", {"all", "cli"})


def test_every_part_of_the_bill_has_a_licence(bill: Any) -> None:
    assert [one["name"] for one in bill["components"] if not one.get("licenses")] == []


def test_the_bill_leads_to_no_index(bill: Any) -> None:
    assert re.findall(r"https?://[^\"]+", json.dumps(bill)) == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]
