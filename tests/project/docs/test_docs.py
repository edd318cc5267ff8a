"""The examples of the documentation run unchanged, each page in its own process."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from integration import parts
from packaging.requirements import Requirement

from azure_imds_emulator import Emulator
from docs_support import (
    DOCS,
    PAGES,
    Block,
    find_blocks,
    find_commands,
    find_programs,
    join_python,
    matches,
    run_in_shell,
    write_files,
)
from support import ROOT

#: Pages whose examples need special preparation, and the tests that run them.
ELSEWHERE = {
    "attestation.md": "package/attestation/test_attestation.py",
    "cli.md": "project/docs/test_docs_cli.py",
    "emulator.md": "project/docs/test_docs_emulator.py",
    "events.md": "package/events/test_event_examples.py",
    "guides/dask.md": "project/integration/test_dask_drain.py",
    "guides/drain-batch.md": "project/integration/test_slurm.py",
    "guides/drain-celery.md": "project/docs/test_docs_drain.py",
    "guides/drain-gunicorn.md": "project/docs/test_docs_drain.py",
    "guides/drain-kubernetes.md": "project/docs/test_docs_drain.py",
    "guides/drain-ray.md": "project/integration/test_ray.py",
    "guides/token-clients.md": "project/integration/test_token_clients.py",
}

#: How the blocks of each language are tested. Other languages are not allowed.
LANGUAGES = {
    "": "a drawing",
    "console": "run, and the output compared with the page",
    "dockerfile": "compared with the files and the manifest of its page",
    "ini": "verified by systemd in tests/project/integration/test_drain.py",
    "python": "run",
    "sh": "not run, since it installs something or needs Azure: programs and extras are looked up",
    "text": "not code",
    "yaml": "parsed",
}


def name(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


HERE = [page for page in PAGES if name(page) not in ELSEWHERE]
EVERY = [(page, block) for page in PAGES for block in find_blocks(page)]


@pytest.mark.parametrize(("page", "test"), ELSEWHERE.items())
def test_the_other_pages_are_tested_elsewhere(page: str, test: str) -> None:
    assert (DOCS / page).exists()
    assert Path(page).name in (ROOT / "tests" / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_is_recognized_and_its_language_is_tested(page: Path) -> None:
    fences = re.findall(r"^ *(?:```|~~~)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == 2 * len(find_blocks(page))
    assert {block.language for block in find_blocks(page)} <= LANGUAGES.keys()


@pytest.mark.parametrize("page", [page for page in HERE if join_python(page)], ids=name)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path) -> None:
    with Emulator() as emulator:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", join_python(page)],
            env=os.environ | emulator.environment | {"XDG_RUNTIME_DIR": str(tmp_path)},  # for shared_cache=True
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert "eyJ" not in done.stdout + done.stderr, "an example prints a token"


SOURCES = sorted({block.source for _, block in EVERY if block.source})


@pytest.mark.parametrize("source", SOURCES)
def test_a_program_that_a_page_includes_has_tests(source: str) -> None:
    assert source.startswith("examples/")
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__)]
    assert any(Path(source).name in path.read_text(encoding="utf-8") for path in tests)


@contextmanager
def machine(page: Path, folder: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yields the environment for the commands of a page, and the real port for each port that the page shows.

    If the page starts an emulator, it runs meanwhile.
    """
    environment = {**os.environ, "PATH": find_programs(), "COLUMNS": "80", "PYTHONUNBUFFERED": "1"}
    started = [
        (command, output) for command, output in find_commands(page) if command.startswith("azure-imds emulator")
    ]
    if not started:
        yield environment, {}
        return
    command, shown = started[0]
    ports = re.findall(r"port (\d+)", command)
    words = shlex.split(re.sub(r"port \d+", "port 0", command))
    with subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            printed = "".join(process.stdout.readline() for _ in shown.splitlines())
            real = dict(zip(ports, re.findall(r"(?:endpoint|control) .*:(\d+)", printed), strict=True))
            assert matches(as_here(shown, real), printed), printed
            yield environment, real
        finally:
            process.terminate()


def as_here(text: str, ports: dict[str, str]) -> str:
    for shown, real in ports.items():
        text = text.replace(f":{shown}", f":{real}")
    return text


@pytest.mark.parametrize("page", [page for page in HERE if find_commands(page)], ids=name)
def test_the_commands_of_a_page_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    if any(command.startswith("curl ") for command, _ in find_commands(page)):
        parts.program("curl")
    write_files(page, tmp_path)
    with machine(page, tmp_path) as (environment, ports):
        for command, output in find_commands(page):
            command = as_here(command, ports)
            if command.startswith("azure-imds emulator"):
                continue
            if command.startswith("export "):
                variable, _, value = command.removeprefix("export ").partition("=")
                environment[variable] = value
                continue
            printed = run_in_shell(command, tmp_path, environment)
            assert matches(as_here(output, ports), printed), f"{command}\n{printed}"


@pytest.mark.parametrize("page", HERE, ids=name)
def test_every_file_of_a_page_is_used_by_a_command(page: Path) -> None:
    used = "\n".join(command for command, _ in find_commands(page))
    assert [block.title for block in find_blocks(page) if block.title and block.title not in used] == []


YAML = [(page, block) for page, block in EVERY if block.language == "yaml"]


@pytest.mark.parametrize(
    "block", [block for _, block in YAML], ids=[f"{name(page)}-{n}" for n, (page, _) in enumerate(YAML)]
)
def test_yaml_can_be_read(block: Block) -> None:
    assert all(yaml.safe_load_all(block.text))


def test_the_probes_of_the_fastapi_guide_are_those_of_the_program() -> None:
    probes = yaml.safe_load(find_blocks(DOCS / "guides" / "fastapi.md", "yaml")[0].text)
    program = (ROOT / "examples" / "fastapi_service.py").read_text(encoding="utf-8")
    for probe in (probes["livenessProbe"], probes["readinessProbe"]):
        assert f'@app.get("{probe["httpGet"]["path"]}")' in program
        assert f'"--port", type=int, default={probe["httpGet"]["port"]}' in program


SHELL = [
    (page, line)
    for page, block in EVERY
    # project/integration/test_containers.py runs the block with a network namespace. Other tests run files.
    if block.language == "sh" and "unshare" not in block.text and not block.title
    for line in block.text.splitlines()
]


@pytest.mark.parametrize("line", sorted({line for _, line in SHELL if line.startswith("pip install")}))
def test_what_is_installed_exists(line: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [Requirement(word) for word in shlex.split(line, comments=True)[2:]]
    for requirement in wanted:
        if requirement.name == "azure-imds":
            assert requirement.extras <= project["project"]["optional-dependencies"].keys()
        else:
            groups = project["dependency-groups"].values()
            known = {Requirement(entry).name for group in groups for entry in group if isinstance(entry, str)}
            assert requirement.name in known


@pytest.mark.parametrize("line", sorted({line for _, line in SHELL if line.startswith("azure-imds ")}))
def test_a_command_that_needs_azure_exists(line: str) -> None:
    command = shlex.split(line.partition("|")[0])
    done = subprocess.run(
        [*command, "--help"],
        env={**os.environ, "PATH": find_programs()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", sorted({line for _, line in SHELL if line.startswith('eval "$(azure-imds ')}))
def test_a_line_that_changes_the_shell_works(line: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{line}; complete -p azure-imds"],
        env={**os.environ, "PATH": find_programs()},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_run_from_a_clone_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in {line for _, line in SHELL if line.startswith(("make ", "python "))}:
        program, *words = shlex.split(line, comments=True)
        if program == "make":
            assert all(re.search(rf"^{word}:", makefile, re.MULTILINE) for word in words if "=" not in word), line
        else:
            assert (ROOT / (words[1].replace(".", "/") if words[0] == "-m" else words[0])).exists(), line


def test_the_files_of_containers_are_there() -> None:
    for line in {line for _, line in SHELL if line.startswith(("docker ", "kubectl apply "))}:
        words = shlex.split(line)
        [option] = {"--file", "--filename"} & {*words}
        assert (ROOT / words[words.index(option) + 1]).is_file(), line


def test_shell_blocks_hold_nothing_else() -> None:
    checked = (
        "pip install ",
        "azure-imds ",
        "  azure-imds ",
        'eval "$(azure-imds ',
        "make ",
        "python ",
        "docker ",
        "kubectl apply ",
    )
    plain = ("python3 -m venv ", ". .venv/", "  curl ", "sudo usermod ", "  sudo tee ", "sudo systemctl ", "echo ")
    assert [line for _, line in SHELL if not line.startswith((*checked, *plain))] == []
