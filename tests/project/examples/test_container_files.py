"""What can be checked of Containerfile, examples/compose.yaml and examples/kubernetes.yaml without containers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from integration.containers import IMAGE, read_entrypoint, read_example, read_instructions, read_variables

from azure_imds_emulator.config import from_environment
from azure_imds_emulator.settings import Settings
from support import ROOT

INSTRUCTIONS = read_instructions()
SERVICES: dict[str, Any] = read_example("compose.yaml")["services"]
POD: dict[str, Any] = read_example("kubernetes.yaml")["spec"]


def find_all(instruction: str) -> list[str]:
    return [arguments for name, arguments in INSTRUCTIONS if name == instruction]


def test_the_base_image_is_an_argument_of_the_build() -> None:
    assert INSTRUCTIONS[0][0] == "ARG"
    assert INSTRUCTIONS[0][1].startswith("BASE_IMAGE=")
    assert {arguments.split()[0] for arguments in find_all("FROM")} == {"${BASE_IMAGE}"}


def test_the_image_does_not_run_as_root() -> None:
    # A number, so that Kubernetes can check runAsNonRoot.
    [user] = find_all("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert POD["securityContext"]["runAsUser"] == int(user.split(":")[0])


def test_the_image_listens_at_ports_that_need_no_permission() -> None:
    settings = from_environment(read_variables(), Settings())
    assert (settings.host, settings.port, settings.control_port) == ("0.0.0.0", 8169, 8170)
    assert find_all("EXPOSE") == ["8169 8170"]


def test_the_command_of_the_image_exists() -> None:
    assert read_entrypoint() == ["azure-imds", "emulator"]


def test_the_image_is_built_from_the_files_that_it_copies(tmp_path: Path) -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for arguments in find_all("COPY"):
        *sources, target = arguments.split()
        if sources[0].startswith("--from="):
            continue
        for source in sources:
            assert f"!{source.rstrip('/')}" in ignored
            if source.endswith("/"):
                shutil.copytree(ROOT / source, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (tmp_path / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, tmp_path / target)
    [wheel] = build_wheel(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "azure_imds_emulator/data/machine.json" in names
    assert "azure_imds/_cli/__init__.py" in names


def build_wheel(folder: Path) -> list[Path]:
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [*(folder / "dist").glob("*.whl")]


def test_what_is_ignored_is_what_the_image_does_not_copy() -> None:
    copied = {source.rstrip("/") for arguments in find_all("COPY") for source in arguments.split()[:-1]}
    listed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in listed
    assert {line[1:] for line in listed if line.startswith("!")} == {
        source for source in copied if not source.startswith(("--from=", "/"))
    }


def test_compose_builds_the_image_that_its_services_use() -> None:
    build = SERVICES["imds"]["build"]
    assert (ROOT / "examples" / build["context"] / build["dockerfile"]).resolve() == ROOT / "Containerfile"
    assert {service["image"] for service in SERVICES.values()} == {IMAGE}


def test_only_this_machine_reaches_the_port_that_compose_publishes() -> None:
    port = read_variables()["AZURE_IMDS_EMULATOR_CONTROL_PORT"]
    assert SERVICES["imds"]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_no_file_sets_a_variable_for_the_program(name: str) -> None:
    app = {"compose.yaml": SERVICES["app"], "kubernetes.yaml": POD["containers"][0]}[name]
    assert not {"env", "envFrom", "environment", "env_file"} & app.keys()


def test_only_the_container_that_adds_the_address_has_a_permission() -> None:
    containers = {container["name"]: container for container in [*POD["initContainers"], *POD["containers"]]}
    capabilities = {name: container["securityContext"]["capabilities"] for name, container in containers.items()}
    assert capabilities.pop("add-address") == {"drop": ["ALL"], "add": ["NET_ADMIN"]}
    assert all(value == {"drop": ["ALL"]} for value in capabilities.values())
    assert not any(container["securityContext"]["allowPrivilegeEscalation"] for container in containers.values())
    assert POD["securityContext"]["runAsNonRoot"] is True


def test_the_emulator_is_a_sidecar_that_starts_after_the_address_was_added() -> None:
    assert [container["name"] for container in POD["initContainers"]] == ["add-address", "imds"]
    assert [container.get("restartPolicy") for container in POD["initContainers"]] == [None, "Always"]
