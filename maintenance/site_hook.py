"""What mkdocs adds to docs/ when it builds the site: pages made from openapi.yaml, and those beside README.md."""

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

from maintenance.specification_pages import operations_page, specification_page

ROOT = Path(__file__).parent.parent

#: Where the site has what stands outside docs/.
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changelog.md",
    "openapi.yaml": "openapi.yaml",
}

_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def _document() -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    return document


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Says on every page which version of the specification it is about."""
    config.copyright = f"Version {_document()['info']['version']} of the specification. Not affiliated with Microsoft."
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    document = _document()
    made = {
        "reference/specification.md": specification_page(document),
        "reference/operations.md": operations_page(document),
    }
    for source, place in PLACES.items():
        if place not in files.src_uris:
            made[place] = (ROOT / source).read_text(encoding="utf-8")
    for place, content in made.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links to files outside docs/ to where the site has them; what it does not have is no link."""
    here = page.file.src_uri
    sources = {place: source for source, place in PLACES.items() if place != "index.md"}
    folder = posixpath.dirname(sources.get(here, f"docs/{here}"))

    def led(link: re.Match[str]) -> str:
        text, path, anchor = link.groups(default="")
        target = posixpath.normpath(posixpath.join(folder, path))
        if target.startswith("docs/"):
            place = target.removeprefix("docs/")
        elif target in PLACES:
            place = PLACES[target]
        else:
            return text
        return f"[{text}]({posixpath.relpath(place, posixpath.dirname(here) or '.')}{anchor})"

    return _LINK.sub(led, markdown)
