"""Makes the Markdown of each page, and llms.txt, which lists it: for agents and scripts, which do not read HTML."""

from __future__ import annotations

import html
import importlib
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from attrs import frozen

#: An instruction of mkdocstrings to show an object, with its options.
_OBJECT = re.compile(r"^::: ([\w.]+)\n((?:    .*\n|\n(?=    ))*)", re.MULTILINE)
_LIST = r"^ +{}: \[(.*)\]$"

#: An instruction to include a file, or some lines of it.
_INCLUDE = re.compile(r"^( *)--8<-- \"([^\":]+)(?::(\d+):(\d+))?\"$", re.MULTILINE)

#: What only the site needs, with its replacement: attributes, and elements around a drawing or a type.
_FOR_THE_SITE: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"^``` \{ \.(\w+) \}$", re.MULTILINE), r"```\1"),
    (re.compile(r'^<figure class="diagram" markdown="0">\n(.*)\n</figure>$', re.MULTILINE), r"\1"),
    (re.compile(r"^\[\]\(\)\{ #[^}\n]* \}\n\n", re.MULTILINE), ""),
    (re.compile(r"^(#+ .*) \{ #[^}\n]* \}$", re.MULTILINE), r"\1"),
    (re.compile(r"^(#+ )<span>(.*)</span>", re.MULTILINE), r"\1\2"),
    (re.compile(r"^<code>(.*)</code>(?= · )", re.MULTILINE), lambda found: f"`{_text_of(found[1])}`"),
]


@frozen
class Entry:
    """A page in llms.txt.

    Attributes:
        section: the heading of its group in the navigation.
        title: its title.
        path: the path of its Markdown on the site.
        headings: those of its sections.
    """

    section: str
    title: str
    path: str
    headings: str = ""


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
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".svg":
            return f"{indent}({_describe_drawing(text)})"
        lines = text.splitlines()
        text = "\n".join(indent + line for line in (lines[int(first) - 1 : int(last)] if first else lines))
        return _INCLUDE.sub(include, text) if path.suffix == ".md" else text

    markdown = _INCLUDE.sub(include, markdown)
    for pattern, replacement in _FOR_THE_SITE:
        markdown = pattern.sub(replacement, markdown)
    return _OBJECT.sub(lambda found: "\n".join(_describe(found[1], found[2])) + "\n\n", markdown)


def make_llms_txt(title: str, summary: str, entries: Iterable[Entry]) -> str:
    """Returns llms.txt: the title, a summary, and a list of the pages in each section."""
    lines = [f"# {title}", "", f"> {summary}"]
    for section, group in itertools.groupby(entries, key=lambda entry: entry.section):
        lines += ["", f"## {section}", ""]
        lines += [
            f"- [{entry.title}]({entry.path})" + (f": {entry.headings}" if entry.headings else "") for entry in group
        ]
    return "\n".join(lines) + "\n"


def list_headings(markdown: str) -> str:
    """The headings of the sections of a page, which tell what it is about."""
    text = re.sub(r"^ *```.*?^ *```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return " · ".join(re.findall(r"^## (.*?)(?: \{ #[^}\n]* \})?$", text, re.MULTILINE))


def _text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def _describe_drawing(svg: str) -> str:
    """The title and the description of a drawing."""
    texts = [_text_of(found) for found in re.findall(r"<(?:title|desc)\b[^>]*>([^<]*)<", svg)]
    return ". ".join(["Drawing: " + texts[0], *texts[1:]]) if texts else "A drawing is on the page."


def _describe(path: str, options: str) -> Iterator[str]:
    """The signature and the documentation of an object, and those of the members that the page shows."""
    item = _find(path)
    level = "#" * int(found[1] if (found := re.search(r"heading_level: (\d)", options)) else 2)
    yield f"{level} `{path}`"
    yield from _describe_one(path.rpartition(".")[2], item)
    chosen = re.search(_LIST.format("members"), options, re.MULTILINE)
    inherited = re.search(_LIST.format("inherited_members"), options, re.MULTILINE)
    names = _split(chosen[1]) if chosen else _public_names(item)
    for name in [*names, *(_split(inherited[1]) if inherited else ())]:
        yield f"\n{level}# `{path}.{name}`"
        yield from _describe_one(name, getattr(item, name))


def _split(names: str) -> list[str]:
    return names.split(", ") if names else []


def _public_names(item: object) -> list[str]:
    """The names of the functions and classes of a module, or of the methods and properties of a class."""
    if inspect.ismodule(item):
        own = [name for name, member in vars(item).items() if getattr(member, "__module__", "") == item.__name__]
    elif inspect.isclass(item):
        members = vars(item).items()
        own = [name for name, member in members if inspect.isroutine(member) or isinstance(member, property)]
    else:
        own = []
    return [name for name in own if not name.startswith("_")]


class _Plain(str):
    """An annotation that a signature shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _show(signature: inspect.Signature) -> str:
    """A signature as in the source, but without the addresses of default values: each build writes the same."""

    def plain(annotation: object) -> object:
        return _Plain(annotation) if isinstance(annotation, str) else annotation

    parameters = [each.replace(annotation=plain(each.annotation)) for each in signature.parameters.values()]
    shown = signature.replace(parameters=parameters, return_annotation=plain(signature.return_annotation))
    return re.sub(r" object at 0x[0-9a-f]+", "", str(shown))


def _describe_one(name: str, item: object) -> Iterator[str]:
    if callable(item):
        with suppress(TypeError, ValueError):  # a class without a signature
            yield f"\n```python\n{name}{_show(inspect.signature(item))}\n```"
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
