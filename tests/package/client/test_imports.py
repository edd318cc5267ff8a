"""A dependency that fails to import: the error of `from azure_imds import ...` is about the dependency."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import python

PROGRAM = """if True:
    for statement in {statements!r}:
        try:
            exec(statement)
        except Exception as error:
            print(type(error).__name__, error, sep=": ")
"""
NAMES = ["ImdsClient", "AsyncImdsClient", "ImdsCredential", "ImdsAuth", "bearer_token_provider", "*"]
STATEMENTS = [
    *(f"from azure_imds import {name}" for name in NAMES),
    "import azure_imds; azure_imds.ImdsClient",
    "import azure_imds.attestation",
    "from azure_imds import attestation",
    "from azure_imds_api import Client",
]
USE_ATTRS = ["from azure_imds_api.models import Compute", "from azure_imds import AccessToken", *STATEMENTS]


def first_words(statements: list[str], broken: str, code: str, folder: Path) -> list[str]:
    """Returns what each statement says if importing the module `broken` runs this code."""
    (folder / f"{broken}.py").write_text(code)
    done = python(PROGRAM.format(statements=statements), PYTHONPATH=str(folder))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(statements), "each statement failed"
    return lines


@pytest.mark.parametrize("broken", ["httpx", "attrs"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise AttributeError(\"module 'ssl' has no attribute 'X'\")", "module 'ssl' has no attribute 'X'"),
        ("import missing_module", "No module named 'missing_module'"),
        ("raise KeyError('a key')", "a key"),
    ],
    ids=["AttributeError", "ImportError", "KeyError"],
)
def test_the_reason_is_shown(broken: str, code: str, reason: str, tmp_path: Path) -> None:
    statements = STATEMENTS if broken == "httpx" else USE_ATTRS
    for statement, line in zip(statements, first_words(statements, broken, code, tmp_path), strict=True):
        assert reason in line, (statement, line)


def test_the_module_that_could_not_be_imported_is_named(tmp_path: Path) -> None:
    code = "raise AttributeError('too old')"
    (line,) = first_words(["from azure_imds import ImdsClient"], "httpx", code, tmp_path)
    assert line == "ImportError: azure_imds cannot import _client.client: AttributeError: too old"


def test_a_name_that_does_not_exist_is_still_an_import_error() -> None:
    done = python("from azure_imds import Nothing")
    assert done.stderr.splitlines()[-1].startswith("ImportError: cannot import name 'Nothing' from 'azure_imds'")
