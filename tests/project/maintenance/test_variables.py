"""Variables of make. If one is missing or wrong, make ends with one line, before it installs or generates anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from maintenance_support import git
from support import CANARY, ROOT

ODD_NAME = "it's; new, $HOME.yaml"

#: What the Makefile requires, and a document.
FILES = ("pyproject.toml", "requirements/dev.txt", ODD_NAME)

MAKE = shutil.which("make") or "make"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the Makefile, and with a file to compare."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements").mkdir()
    for name in FILES:
        (folder / name).touch()
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=One")
    git(folder, "tag", "v1.0.0")
    return folder


def run_make(folder: Path, *words: str, **environment: str) -> tuple[int, str]:
    """Runs make. Returns its exit code and everything that it printed, without the place in the Makefile."""
    names = ("BASE", "SPEC", "UPSTREAM", "INDEX_URL", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    variables = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [MAKE, *words],
        cwd=folder,
        env={**variables, "LC_ALL": "C", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout.partition(" *** ")[2] or done.stdout


@pytest.mark.parametrize(
    ("target", "variable", "example"),
    [
        ("api-diff", "BASE", "v0.1.0"),
        ("update", "SPEC", "new.yaml"),
        ("compare", "UPSTREAM", "imds.json"),
        ("publish", "INDEX_URL", "https://index.example/"),
    ],
)
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_variable_is_one_line_with_an_example(
    target: str, variable: str, example: str, value: str | None, folder: Path
) -> None:
    words = [target] if value is None else [target, f"{variable}={value}"]
    expected = f"{variable} is missing. Example: `make {target} {variable}={example}`.  Stop.\n"
    assert run_make(folder, *words) == (2, expected)
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["api-diff", "BASE=v9"], "BASE is not a tag, branch or commit of this checkout: v9. "),
        (["api-diff", "BASE=--all"], "BASE is not a tag, branch or commit of this checkout: --all. "),
        (
            ["api-diff", "BASE=a, b'$(shell touch made)"],
            "BASE is not a tag, branch or commit of this checkout: a, b'$(",
        ),
        (["update", "SPEC=none.yaml"], "SPEC is neither a file nor an http:// or https:// URL: none.yaml. "),
        (["update", "SPEC=."], "SPEC is neither a file nor an http:// or https:// URL: .. "),
        (
            ["update", "SPEC='; touch made; '"],
            "SPEC is neither a file nor an http:// or https:// URL: '; touch made; '. ",
        ),
        (["update", "SPEC=file:///etc/passwd"], "SPEC is neither a file nor an http:// or https:// URL: file:///etc/"),
        (["compare", "UPSTREAM=none.json"], "UPSTREAM is neither a file nor an http:// or https:// URL: none.json. "),
        (["publish", "INDEX_URL=index.example"], "INDEX_URL is not an http:// or https:// URL. "),
    ],
)
def test_a_wrong_value_is_one_line_with_the_value_and_an_example(words: list[str], problem: str, folder: Path) -> None:
    code, output = run_make(folder, *words)
    assert code == 2
    assert output.startswith(problem)
    assert f"Example: `make {words[0]} {words[1].partition('=')[0]}=" in output
    assert output.count("\n") == 1
    assert {path.name for path in folder.iterdir()} == {".git", "Makefile", "requirements", "pyproject.toml", ODD_NAME}


def test_a_value_can_come_from_the_environment(folder: Path) -> None:
    assert run_make(folder, "api-diff", BASE="v9")[1].startswith("BASE is not a tag, branch or commit")


def test_an_index_url_with_a_password_is_not_printed(folder: Path) -> None:
    code, output = run_make(folder, "publish", f"INDEX_URL=me:{CANARY}@index.example")
    assert code == 2
    assert CANARY not in output


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["api-diff", "BASE=v1.0.0"], "maintenance api-diff --base 'v1.0.0'"),
        (["api-diff", "BASE=HEAD"], "maintenance api-diff --base 'HEAD'"),
        (["update", f"SPEC={ODD_NAME}"], "maintenance update --spec 'it'\\''s; new, $HOME.yaml'"),
        (["update", "SPEC=http://127.0.0.1/x?a=$b"], "maintenance update --spec 'http://127.0.0.1/x?a=$b'"),
        (
            ["compare", "UPSTREAM=Makefile", "COMPARE_ARGS=--only-upstream"],
            "maintenance compare --upstream 'Makefile' --only-upstream",
        ),
        (["publish", "INDEX_URL=https://index.example/$a"], "maintenance publish  -- 'https://index.example/$a'"),
    ],
)
def test_a_right_value_reaches_the_command_as_it_was_typed(words: list[str], command: str, folder: Path) -> None:
    code, output = run_make(folder, "--dry-run", *words)
    assert code == 0
    assert output.rstrip(" \n").endswith(f" -m {command}")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH that lacks git."""
    folder = tmp_path_factory.mktemp("tools")
    for name in ("sh", "grep", "python3"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return str(folder)


@pytest.mark.parametrize(
    "words", [["api-diff", "BASE=HEAD"], ["update", "SPEC=Makefile"], ["build"], ["publish", "INDEX_URL=https://x"]]
)
def test_missing_git_is_one_line(words: list[str], folder: Path, tools: str) -> None:
    assert run_make(folder, *words, PATH=tools) == (2, f"git is not installed, or not in PATH: {tools}.  Stop.\n")
    assert not (folder / ".venv").exists()


def test_a_folder_that_is_not_a_checkout_is_one_line(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    code, output = run_make(tmp_path, "api-diff", "BASE=HEAD", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert (code, output) == (2, f"this folder is not a git checkout: {tmp_path}.  Stop.\n")


def test_help_lists_every_target_without_other_programs_than_awk(folder: Path, tmp_path: Path) -> None:
    for name in ("sh", "awk"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    code, output = run_make(folder, "help", PATH=str(tmp_path))
    assert code == 0, output
    makefile = (ROOT / "Makefile").read_text()
    [targets] = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)
    rules = {*re.findall(r"^([\w-]+):", makefile, re.MULTILINE)}
    assert {line.split()[0] for line in output.splitlines()} == {*targets.split()} & rules
    assert all(len(line.split()) > 3 for line in output.splitlines())
