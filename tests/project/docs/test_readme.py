"""The README's examples run as they stand, against the emulator."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from azure_imds_emulator import Emulator
from support import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^\*\*(.+?)\*\*.*?```python\n(.*?)```", README, flags=re.DOTALL | re.MULTILINE)

EXPECTED = {
    "A token, and what the machine is:": ["Bearer 86", "vm-example-0 eastus", "000D3A"],
    "A credential for Azure's SDKs": ["AccessToken(expires_on="],
    "httpx": ["ImdsAuth('https://management.azure.com/')"],
    "Async": ["pkcs7"],
    "Errors": [
        "IdentityNotFoundError False Assign a managed identity",
        "resource - Identity_GetToken: resource is empty",
    ],
}


def test_there_are_five_examples() -> None:
    assert [title for title, _ in BLOCKS] == list(EXPECTED)


@pytest.mark.parametrize(("title", "code"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_an_example_runs_and_prints_what_it_says(title: str, code: str) -> None:
    with Emulator() as emulator:
        environment = os.environ | emulator.environment
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        for expected in EXPECTED[title]:
            assert expected in done.stdout


def test_the_demo_shows_a_token_and_the_machine() -> None:
    done = subprocess.run([sys.executable, ROOT / "examples" / "demo.py"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "for          https://vault.azure.net" in done.stdout
    assert "one leaf     compute/location = 'eastus'" in done.stdout
    assert "1000 calls of get_token, 1 request to IMDS" in done.stdout
    assert "eyJ" not in done.stdout, "a token is never printed"


def test_the_readme_names_the_two_commands() -> None:
    assert "make demo" in README
    assert "make test" in README
