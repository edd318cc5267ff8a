"""The README: its examples run against the emulator, and its links work in the repository and on an index page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from markdown import markdown

from azure_imds_emulator import Emulator
from maintenance.release.index_page import rewrite_links
from support import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^\*\*(.+?)\*\*.*?```python\n(.*?)```", README, flags=re.DOTALL | re.MULTILINE)

EXPECTED = {
    "Get a token and read the metadata:": ["Bearer 86", "vm-example-0 eastus", "000D3A"],
    "A credential for the Azure SDK": ["AccessToken(expires_on="],
    "httpx": ["ImdsAuth('https://management.azure.com/')"],
    "Async": ["pkcs7"],
    "Errors": [
        "IdentityNotFoundError False Assign a managed identity",
        "resource - identity.get_token: resource must not be empty, for example https:",
    ],
}


def test_there_are_five_examples() -> None:
    assert [title for title, _ in BLOCKS] == list(EXPECTED)


@pytest.mark.parametrize(("title", "code"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_an_example_runs_and_prints_the_expected_text(title: str, code: str) -> None:
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
    assert "resource     https://vault.azure.net" in done.stdout
    assert "one value    compute/location = 'eastus'" in done.stdout
    assert "1000 calls of get_token, 1 request to IMDS" in done.stdout
    assert "eyJ" not in done.stdout, "a token is never printed"


@pytest.mark.parametrize(
    "program",
    [
        ["examples/demo.py"],
        ["-m", "maintenance", "--help"],
        ["-m", "generator", "--help"],
        ["-m", "benchmarks", "--help"],
    ],
)
def test_a_program_whose_output_is_not_read_ends_without_a_traceback(program: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, *program],
            cwd=ROOT,
            env=environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert done.stderr == ""


def test_the_readme_is_short_and_begins_with_what_it_gives() -> None:
    assert len(README.splitlines()) < 150
    assert README.startswith("# azure-imds\n\nWith azure-imds, Python programs on Azure get managed-identity tokens, ")


def test_the_readme_names_the_two_commands() -> None:
    assert "make demo" in README
    assert "make test" in README


class Links(HTMLParser):
    """The targets of links and images on a page, and the anchors that it defines."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(markdown(text, extensions=["tables", "fenced_code", "toc"]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors.add(given.get("id", ""))
        self.targets += [given[name] for name in ("href", "src") if name in given]

    @property
    def relative(self) -> list[str]:
        """The targets that are neither an address nor an anchor of this page."""
        anchors = {f"#{anchor}" for anchor in self.anchors}
        return [target for target in self.targets if not target.startswith("https://") and target not in anchors]


def test_every_link_in_the_repository_leads_to_a_file() -> None:
    relative = Links(README).relative
    assert "docs/cli.md" in relative
    for target in relative:
        path, _, anchor = target.partition("#")
        assert (ROOT / path).exists(), target
        assert not anchor or anchor in Links((ROOT / path).read_text(encoding="utf-8")).anchors, target


@pytest.mark.parametrize("files", ["", "https://index.example/azure-imds?path=/{path}"])
def test_no_link_on_an_index_page_is_relative(files: str) -> None:
    assert Links(rewrite_links(README, files)).relative == []


@pytest.mark.parametrize(
    "link", ["[a](b.md)", "![a](b.svg)", "[a][b]\n\n[b]: b.md", '<a href="b.md">a</a>', "[a](#none)"]
)
def test_a_relative_link_of_any_form_is_found(link: str) -> None:
    assert len(Links(link).relative) == 1
