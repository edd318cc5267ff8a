"""The pages of docs/ for tests: their code blocks, commands and outputs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from attrs import frozen

from support import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

#: The language is in braces if the text is included from another file, because a formatter cannot format it then.
_FENCE = re.compile(r"^```(?: \{ \.)?([\w-]*)(?: \})?(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SNIPPET = re.compile(r"^--8<-- \"([^\"]+)\"$", re.MULTILINE)


@frozen
class Block:
    """A code block of a page.

    Attributes:
        language: the language in the fence, or "".
        title: the file that the reader should create, or "".
        text: the code.
        source: the file of this project that the block includes, or "".
    """

    language: str
    title: str
    text: str
    source: str


def find_blocks(page: Path, language: str | None = None) -> list[Block]:
    """Returns the blocks of a page in order, or only those of one language."""
    found = [
        Block(kind, title, text, taken[1] if (taken := _SNIPPET.fullmatch(text.rstrip("\n"))) else "")
        for kind, title, text in _FENCE.findall(page.read_text(encoding="utf-8"))
    ]
    return [block for block in found if language in (None, block.language)]


def join_python(page: Path) -> str:
    """Returns the Python of a page as one program, without files to create and without included programs."""
    return "\n".join(block.text for block in find_blocks(page, "python") if not block.title and not block.source)


def write_files(page: Path, folder: Path) -> None:
    """Creates the files that a page tells its reader to create. Blocks with the same title form one file."""
    for block in find_blocks(page):
        if block.title:
            with (folder / block.title).open("a", encoding="utf-8") as file:
                file.write(block.text)


def find_commands(page: Path) -> list[tuple[str, str]]:
    """Returns the commands that a page shows at a prompt, each with its output."""
    parts = [
        part for block in find_blocks(page, "console") for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    ]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def matches(shown: str, printed: str) -> bool:
    """Returns whether the output of a command matches the page. `...` in the page matches anything."""
    printed = "\n".join(line.rstrip() for line in printed.splitlines())
    pattern = re.escape(shown.rstrip()).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def find_programs() -> str:
    """Returns the value of `PATH` with the commands of this Python first, and those that a shell needs."""
    places = [
        str(Path(sys.executable).parent),
        *(str(Path(found).parent) for found in (shutil.which("curl"),) if found),
    ]
    return ":".join([*places, "/usr/bin", "/bin"])


def run_in_shell(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Runs a command in a shell; returns what it printed to stdout and stderr."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.stdout


def find_named_files(text: str) -> list[str]:
    """Returns the files and folders that a text names as code: names with a slash or the extension of a text file."""
    spans = re.findall(r"`([\w.*-]+(?:/[\w.*-]*)*)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE))
    return [span for span in spans if re.search(r"/|^\w[\w-]*\.(?:md|py|yaml|toml)$", span)]
