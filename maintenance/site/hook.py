"""The mkdocs hook. It adds pages made from openapi.yaml, and the Markdown files of the root folder."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from maintenance.site.specification_pages import make_operations_page, make_specification_page

ROOT = Path(__file__).parents[2]

#: Files outside docs/, each with its path on the site.
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changelog.md",
    "openapi.yaml": "openapi.yaml",
}

_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def _read_specification() -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    return document


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Shows the version of the specification in the footer of every page."""
    config.copyright = (
        f"Version {_read_specification()['info']['version']} of the specification. Not affiliated with Microsoft."
    )
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages and the files outside docs/."""
    document = _read_specification()
    pages = {
        "reference/specification.md": make_specification_page(document),
        "reference/operations.md": make_operations_page(document),
    }
    for source, place in PLACES.items():
        if place not in files.src_uris:
            pages[place] = (ROOT / source).read_text(encoding="utf-8")
    for place, content in pages.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrites links to files outside docs/ to their path on the site. Without such a path, only the text remains."""
    here = page.file.src_uri
    sources = {place: source for source, place in PLACES.items() if place != "index.md"}
    folder = posixpath.dirname(sources.get(here, f"docs/{here}"))

    def rewrite(link: re.Match[str]) -> str:
        text, path, anchor = link.groups(default="")
        target = posixpath.normpath(posixpath.join(folder, path))
        if target.startswith("docs/"):
            place = target.removeprefix("docs/")
        elif target in PLACES:
            place = PLACES[target]
        else:
            return text
        return f"[{text}]({posixpath.relpath(place, posixpath.dirname(here) or '.')}{anchor})"

    return _LINK.sub(rewrite, markdown)
