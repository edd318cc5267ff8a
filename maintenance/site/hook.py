"""The mkdocs hook. It adds pages made from openapi.yaml, the Markdown files of the root folder, and llms.txt."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page

from azure_imds_api.members import MEMBERS
from generator import lint
from generator.specification import Specification, SpecificationError
from maintenance.fragments import read_with_unreleased
from maintenance.repository import read_version
from maintenance.site.markdown_pages import Entry, list_headings, make_llms_txt, make_page
from maintenance.site.models_page import make_models_page
from maintenance.site.page_html import change_html
from maintenance.site.specification_pages import make_operations_page, make_specification_page
from maintenance.surface import read_surface

ROOT = Path(__file__).parents[2]

#: Files outside docs/, each with its path on the site.
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CHANGELOG.md": "project/changelog.md",
    "openapi.yaml": "openapi.yaml",
}

#: What one build collects: the Markdown of the pages by their path, and the pages of the navigation.
_markdown: dict[str, str] = {}
_pages: list[Page] = []

#: How much more the search values a page, by the start of its path. The pages for a task come before those that only
#: contain its words.
BOOSTS = {
    "index.md": 3,
    "troubleshooting.md": 3,
    "identity.md": 3,
    "events.md": 4,
    "recipes.md": 2,
    "faq.md": 2,
    "hosts.md": 2,
    "instance.md": 2,
    "tokens.md": 2,
    "logging.md": 2,
    "cli.md": 2,
    "guides/": 1.5,
    "reference/models.md": 1.3,
    "reference/specification.md": 0.3,
    "design/": 0.3,
    "project/changelog.md": 0.3,
    "project/contributing.md": 0.3,
    "project/pipelines.md": 0.3,
}

_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


@cache
def _read_specification(path: Path) -> Mapping[str, Any]:
    """Returns the document, if the lint accepts it. The lint refuses texts that are not plain on the site."""
    try:
        specification = Specification.load(path)
        lint.check(specification)
    except SpecificationError as error:
        raise PluginError(str(error)) from None
    return specification.document


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Shows the versions of the package and the specification in the footer of every page."""
    version = html.escape(_read_specification(ROOT / "openapi.yaml")["info"]["version"])
    package = html.escape(read_version(ROOT))
    config.copyright = f"azure-imds {package}. Version {version} of the specification. Not affiliated with Microsoft."
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages and the files outside docs/."""
    document = _read_specification(ROOT / "openapi.yaml")
    pages = {
        "reference/specification.md": make_specification_page(document),
        "reference/operations.md": make_operations_page(document),
        "reference/models.md": make_models_page(read_surface(ROOT), MEMBERS, document),
    }
    for source, place in PLACES.items():
        if place not in files.src_uris:
            pages[place] = (ROOT / source).read_text(encoding="utf-8")
    pages["project/changelog.md"] = read_with_unreleased(ROOT)
    for place, content in pages.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrites links to files outside docs/ to their path on the site, and tells the search how to value the page.

    Without such a path, only the text of a link remains.
    """
    here = page.file.src_uri
    for start, boost in BOOSTS.items():
        if here.startswith(start):
            page.meta["search"] = {"boost": boost}
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

    rewritten = _LINK.sub(rewrite, markdown)
    _markdown[here] = rewritten
    return rewritten


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Makes console blocks easy to copy, and tables and names easy to read on a phone."""
    return change_html(html)


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Remembers the pages in their order. Their titles are not known yet."""
    _pages[:] = nav.pages
    return nav


def on_post_build(config: MkDocsConfig) -> None:
    """Writes llms.txt, and the Markdown of each page next to the page. Links between the pages stay as they are."""
    site = Path(config.site_dir)
    for place, text in _markdown.items():
        (site / place).parent.mkdir(parents=True, exist_ok=True)
        (site / place).write_text(make_page(text, ROOT), encoding="utf-8")
    entries = [
        Entry(
            section=str([page, *page.ancestors][-1].title),
            title=str(page.title),
            path=page.file.src_uri,
            headings=list_headings(make_page(_markdown[page.file.src_uri], ROOT)),
        )
        for page in _pages
    ]
    text = make_llms_txt(config.site_name, config.site_description or "", entries)
    (site / "llms.txt").write_text(text, encoding="utf-8")
