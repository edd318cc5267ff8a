"""The pages of docs/ as tests see them: their code blocks, with what these take from other files."""

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

#: The language is in braces where the text is taken from elsewhere: it is not code that can be formatted.
_FENCE = re.compile(r"^```(?: \{ \.)?([\w-]*)(?: \})?(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SNIPPET = re.compile(r"^--8<-- \"([^\"]+)\"$", re.MULTILINE)


@frozen
class Block:
    """A code block of a page.

    Attributes:
        language: as the page has it; "" where it names none.
        title: the file that a reader is to write, or "".
        text: the code.
        source: the file of this project that it is taken from, or "".
    """

    language: str
    title: str
    text: str
    source: str


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """The blocks of a page in their order, or those of one language."""
    found = [
        Block(kind, title, text, taken[1] if (taken := _SNIPPET.fullmatch(text.rstrip("\n"))) else "")
        for kind, title, text in _FENCE.findall(page.read_text(encoding="utf-8"))
    ]
    return [block for block in found if language in (None, block.language)]


def own_python(page: Path) -> str:
    """The Python that a page shows for itself, as one program: no files to write, no programs of examples/."""
    return "\n".join(block.text for block in blocks(page, "python") if not block.title and not block.source)


def write_files(page: Path, folder: Path) -> None:
    """Writes the files that a page tells its reader to write; blocks of one title make up one file."""
    for block in blocks(page):
        if block.title:
            with (folder / block.title).open("a", encoding="utf-8") as file:
                file.write(block.text)


def commands(page: Path) -> list[tuple[str, str]]:
    """The commands that a page shows at a prompt, each with what it prints."""
    parts = [
        part for block in blocks(page, "console") for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    ]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def matches(shown: str, printed: str) -> bool:
    """Whether a command printed what a page shows, where `...` stands for anything."""
    printed = "\n".join(line.rstrip() for line in printed.splitlines())
    pattern = re.escape(shown.rstrip()).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def search_path() -> str:
    """`PATH` with this Python's own commands first, and what a shell needs."""
    places = [
        str(Path(sys.executable).parent),
        *(str(Path(found).parent) for found in (shutil.which("curl"),) if found),
    ]
    return ":".join([*places, "/usr/bin", "/bin"])


def shell(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What a command prints, on either stream."""
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
