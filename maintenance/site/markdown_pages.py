"""Makes the Markdown of each page, and llms.txt, which lists it: for agents and scripts, which do not read HTML."""

from __future__ import annotations

import importlib
import inspect
import itertools
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from attrs import frozen

#: An instruction of mkdocstrings to show an object, with its options.
_OBJECT = re.compile(r"^::: ([\w.]+)\n(?:    .*\n|\n(?=    ))*", re.MULTILINE)

#: An instruction to include a file, or some lines of it.
_INCLUDE = re.compile(r"^( *)--8<-- \"([^\":]+)(?::(\d+):(\d+))?\"$", re.MULTILINE)


@frozen
class Entry:
    """A page in llms.txt.

    Attributes:
        section: the heading of its group in the navigation.
        title: its title.
        path: the path of its Markdown on the site.
    """

    section: str
    title: str
    path: str


def make_page(markdown: str, root: Path) -> str:
    """Returns the Markdown of a page, with what it includes and the documentation of the objects that it shows.

    Args:
        markdown: the text of the page, as mkdocs has it.
        root: the folder of the project. Includes are from this folder only.
    """

    def include(found: re.Match[str]) -> str:
        indent, name, first, last = found.groups()
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()):
            return ""
        if path.suffix == ".svg":
            return f"{indent}(A drawing is on the page.)"
        lines = path.read_text(encoding="utf-8").splitlines()
        text = "\n".join(indent + line for line in (lines[int(first) - 1 : int(last)] if first else lines))
        return _INCLUDE.sub(include, text) if path.suffix == ".md" else text

    return _OBJECT.sub(lambda found: "\n".join(_describe(found[1])) + "\n\n", _INCLUDE.sub(include, markdown))


def make_llms_txt(title: str, summary: str, entries: Iterable[Entry]) -> str:
    """Returns llms.txt: the title, a summary, and a list of the pages in each section."""
    lines = [f"# {title}", "", f"> {summary}"]
    for section, group in itertools.groupby(entries, key=lambda entry: entry.section):
        lines += ["", f"## {section}", "", *(f"- [{entry.title}]({entry.path})" for entry in group)]
    return "\n".join(lines) + "\n"


def _describe(path: str) -> Iterator[str]:
    """The signature and the documentation of an object, and those of the methods of a class."""
    item = _find(path)
    yield f"## `{path}`"
    yield from _describe_one(path.rpartition(".")[2], item)
    if inspect.isclass(item):
        for name, member in vars(item).items():
            if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
                yield f"\n### `{path}.{name}`"
                yield from _describe_one(name, member)


def _describe_one(name: str, item: object) -> Iterator[str]:
    if callable(item):
        with suppress(TypeError, ValueError):  # a class without a signature
            # Without the addresses of default values, so that each build writes the same.
            signature = re.sub(r" object at 0x[0-9a-f]+", "", str(inspect.signature(item)))
            yield f"\n```python\n{name}{signature}\n```"
    if text := inspect.getdoc(item):
        yield f"\n{text}"


def _find(path: str) -> object:
    """Returns the object with this dotted path."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name)
        return found
    raise LookupError(path)
