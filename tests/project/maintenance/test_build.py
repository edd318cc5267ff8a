"""What `make build` writes, and what it refuses."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
import tomllib
import zipfile
from argparse import Namespace
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from maintenance import repository
from maintenance.problem import Problem
from maintenance.release import build, privacy
from maintenance.release.contents import check_sdist, check_wheel
from maintenance.release.index_page import rewrite_links
from maintenance_support import copy, made_once
from support import ROOT

pytestmark = pytest.mark.integration

VERSION = repository.read_version(ROOT)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project after `make build`."""

    def make() -> Path:
        folder = copy(tmp_path_factory.mktemp("build") / "project")
        build.build(folder, folder / "dist")
        return folder

    return made_once(tmp_path_factory, "build", make)


@pytest.fixture
def wheel(project: Path, tmp_path: Path) -> Path:
    """A wheel that a test can change."""
    return Path(shutil.copy(project / "dist" / f"azure_imds-{VERSION}-py3-none-any.whl", tmp_path))


@pytest.fixture
def sdist(project: Path, tmp_path: Path) -> Path:
    """A source distribution that a test can change."""
    return Path(shutil.copy(project / "dist" / f"azure_imds-{VERSION}.tar.gz", tmp_path))


@pytest.fixture(scope="module")
def bill(project: Path) -> Any:
    return json.loads((project / "dist" / f"azure_imds-{VERSION}.cdx.json").read_text(encoding="utf-8"))


def add(archive: Path, name: str, content: str = "") -> None:
    """Adds a file to a wheel or a source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive, "a") as wheel:
            wheel.writestr(name, content)
        return
    text = content.encode()
    member = tarfile.TarInfo(f"azure_imds-{VERSION}/{name}")
    member.size = len(text)
    unpacked = gzip.decompress(archive.read_bytes())
    with tarfile.open(fileobj=(grown := io.BytesIO(unpacked)), mode="a") as sdist:
        sdist.addfile(member, io.BytesIO(text))
    archive.write_bytes(gzip.compress(grown.getvalue()))


def remove(wheel: Path, name: str) -> None:
    with zipfile.ZipFile(wheel) as old:
        members = {member: old.read(member) for member in old.namelist() if member != name}
    with zipfile.ZipFile(wheel, "w") as new:
        for member, content in members.items():
            new.writestr(member, content)


def replace(wheel: Path, name: str, content: str) -> None:
    remove(wheel, name)
    add(wheel, name, content)


@pytest.fixture
def metadata(wheel: Path) -> Message:
    """The metadata that an index shows on its page."""
    with zipfile.ZipFile(wheel) as archive:
        return BytesParser().parsebytes(archive.read(f"azure_imds-{VERSION}.dist-info/METADATA"))


def test_there_are_wheel_sdist_and_bill_of_materials(project: Path) -> None:
    assert sorted(file.name for file in (project / "dist").iterdir()) == [
        f"azure_imds-{VERSION}-py3-none-any.whl",
        f"azure_imds-{VERSION}.cdx.json",
        f"azure_imds-{VERSION}.tar.gz",
    ]


def test_the_command_prints_the_digest_of_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "azure_imds.whl").write_bytes(b"wheel")
    monkeypatch.setattr(build, "build", lambda root, output: [output / "azure_imds.whl"])
    monkeypatch.chdir(tmp_path)
    assert build.run(Namespace(output=tmp_path)) == 0
    assert capsys.readouterr().out == f"{hashlib.sha256(file.read_bytes()).hexdigest()}  azure_imds.whl\n"


def test_a_tool_that_fails_is_reported_with_its_output() -> None:
    with pytest.raises(Problem, match=r"^twine failed:\n(?s:.)*no-such-file"):
        build._run_tool("twine", "check", "no-such-file")


def test_the_time_stamps_are_that_of_the_commit(project: Path, sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        assert {member.mtime for member in archive} == {repository.read_commit_time(project)}


def test_a_second_build_with_other_bytes_is_refused(tmp_path: Path) -> None:
    (one := tmp_path / "one").write_bytes(b"1")
    (other := tmp_path / "other").write_bytes(b"2")
    with pytest.raises(Problem, match=r"^one differs between two builds of the same commit$"):
        build.check_same_bytes((one,), (other,))


def test_the_distributions_pass_the_checks(project: Path, wheel: Path, sdist: Path) -> None:
    check_wheel(wheel, project, repository.list_tracked(project))
    check_sdist(sdist, project, repository.list_tracked(project))


@pytest.mark.parametrize("name", ["azure_imds/notes.txt", "tests/test_client.py", "azure_imds/__pycache__/errors.pyc"])
def test_an_untracked_file_in_the_wheel_is_refused(project: Path, wheel: Path, name: str) -> None:
    add(wheel, name)
    with pytest.raises(Problem, match=rf"contains files that git does not track: {name}$"):
        check_wheel(wheel, project, repository.list_tracked(project))


def test_an_untracked_file_in_the_sdist_is_refused(project: Path, sdist: Path) -> None:
    add(sdist, "notes.txt")
    with pytest.raises(Problem, match=r"contains files that git does not track: notes\.txt$"):
        check_sdist(sdist, project, repository.list_tracked(project))


@pytest.mark.parametrize(
    "name", ["azure_imds/py.typed", "azure_imds_api/hosts.json", "azure_imds_api/provenance.json", "azure_imds/_log.py"]
)
def test_a_wheel_without_a_required_file_is_refused(project: Path, wheel: Path, name: str) -> None:
    remove(wheel, name)
    with pytest.raises(Problem, match=f"lacks {name}$"):
        check_wheel(wheel, project, repository.list_tracked(project))


def test_a_wheel_without_py_typed_is_refused_even_if_git_does_not_track_it(project: Path, wheel: Path) -> None:
    remove(wheel, "azure_imds/py.typed")
    with pytest.raises(Problem, match=r"lacks azure_imds/py\.typed$"):
        check_wheel(wheel, project, repository.list_tracked(project) - {"wrapper/azure_imds/py.typed"})


def test_an_sdist_without_a_tracked_file_is_refused(project: Path, sdist: Path) -> None:
    with pytest.raises(Problem, match=r"lacks tests/test_new\.py$"):
        check_sdist(sdist, project, repository.list_tracked(project) | {"tests/test_new.py"})


def test_entry_points_that_pyproject_does_not_declare_are_refused(project: Path, wheel: Path) -> None:
    replace(wheel, f"azure_imds-{VERSION}.dist-info/entry_points.txt", "[console_scripts]\nazure-imds = other:main\n")
    with pytest.raises(Problem, match=r"the entry points are \{.*'other:main'.*\}, but pyproject\.toml declares \{"):
        check_wheel(wheel, project, repository.list_tracked(project))


def test_a_file_that_contains_a_folder_of_this_machine_is_refused(project: Path, wheel: Path) -> None:
    replace(wheel, "azure_imds/_log.py", f"# {project}\n")
    with pytest.raises(Problem, match=r"a folder or a package index of this machine, in: azure_imds/_log\.py$"):
        check_wheel(wheel, project, repository.list_tracked(project))


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
    assert text in privacy.find_private_texts(tmp_path)


@pytest.mark.parametrize("url", ["https://pypi.org/simple", "http://127.0.0.1:3141/", "http://localhost/"])
def test_a_public_host_is_not_private(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = privacy.find_private_texts(tmp_path)
    monkeypatch.setenv("UV_INDEX", url)
    assert privacy.find_private_texts(tmp_path) == private


def test_the_page_on_an_index_links_to_the_urls_of_pyproject(metadata: Message) -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    assert metadata.get_all("Project-URL") == [f"{name}, {url}" for name, url in urls.items()]
    assert all(url.startswith("https://") for url in urls.values())


def test_the_page_on_an_index_is_the_readme(metadata: Message) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = str(metadata.get_payload())
    assert metadata["Description-Content-Type"] == "text/markdown"
    for pattern in (r"^#+ .*$", r"^```python\n.*?^```"):
        flags = re.MULTILINE | re.DOTALL if "```" in pattern else re.MULTILINE
        assert re.findall(pattern, page, flags) == re.findall(pattern, readme, flags) != []


def test_every_link_on_the_page_of_an_index_is_an_address(metadata: Message) -> None:
    without_code = re.sub(r"^```.*?^```", "", str(metadata.get_payload()), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)]*)\)", without_code)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


LINKS = """\
See [the guide](docs/guide.md#first), [our page](https://example.com/a) and [below](#below).

```python
handlers[name](request)
```
"""


def test_links_to_files_become_plain_text() -> None:
    assert rewrite_links(LINKS, "") == LINKS.replace("[the guide](docs/guide.md#first)", "the guide")


def test_links_to_files_lead_to_the_address_of_the_repository() -> None:
    page = rewrite_links(LINKS, "https://example.com/azure-imds?path=/{path}")
    expected = "[the guide](https://example.com/azure-imds?path=/docs/guide.md#first)"
    assert page == LINKS.replace("[the guide](docs/guide.md#first)", expected)


def test_the_bill_matches_the_schema_of_cyclonedx(bill: Any) -> None:
    assert bill["specVersion"] == "1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_the_schema_detects_an_invalid_bill(bill: Any) -> None:
    invalid = {**bill, "serialNumber": "1"}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(invalid)) is not None


def test_the_bill_describes_the_wheel(bill: Any, wheel: Path) -> None:
    product = bill["metadata"]["component"]
    assert (product["name"], product["version"]) == ("azure-imds", VERSION)
    assert product["hashes"] == [{"alg": "SHA-256", "content": build.compute_sha256(wheel)}]
    assert product["licenses"] == [{"license": {"id": "MIT"}}]


def test_the_bill_has_the_pinned_versions(bill: Any) -> None:
    text = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))
    assert {one["name"]: one["version"] for one in bill["components"]}.items() <= pins.items()


def read_dependencies(bill: Any) -> dict[str, set[str]]:
    """Returns what each package needs, by name."""
    name = {one["bom-ref"]: one["name"] for one in [*bill["components"], bill["metadata"]["component"]]}
    return {name[one["ref"]]: {name[ref] for ref in one.get("dependsOn", [])} for one in bill["dependencies"]}


def test_the_bill_contains_every_direct_requirement(bill: Any) -> None:
    assert read_dependencies(bill)["azure-imds"] == {
        *("attrs", "httpx"),
        *("aiohttp", "asn1crypto", "cryptography", "distributed", "jmespath", "locket", "multidict"),
        *("opentelemetry-sdk", "pyyaml", "rich", "typer"),
    }


def test_the_bill_contains_the_requirements_of_requirements(bill: Any) -> None:
    graph = read_dependencies(bill)
    assert graph["httpx"] >= {"anyio", "certifi", "httpcore", "idna"}
    assert "h11" in graph["httpcore"]
    assert {*graph} == {"azure-imds", *(one["name"] for one in bill["components"])}


def test_what_only_an_extra_installs_is_optional_with_the_name_of_the_extra(bill: Any) -> None:
    scopes = {
        one["name"]: (one["scope"], {each["value"] for each in one.get("properties", [])}) for one in bill["components"]
    }
    assert scopes["httpcore"] == ("required", set())
    assert scopes["cryptography"] == ("optional", {"all", "attestation", "emulator"})
    assert scopes["typer"] == ("optional", {"all", "cli"})


def test_every_package_in_the_bill_has_a_licence(bill: Any) -> None:
    assert [one["name"] for one in bill["components"] if not one.get("licenses")] == []


def test_the_bill_contains_no_url_of_an_index(bill: Any) -> None:
    assert re.findall(r"https?://[^\"]+", json.dumps(bill)) == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]
