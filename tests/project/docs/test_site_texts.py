"""Texts of the specification on the site: they are shown as they are, and have no effect on the page."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from markdown import Markdown
from mkdocs.config import load_config
from mkdocs.exceptions import PluginError

from azure_imds import __version__
from generator.specification import Specification
from maintenance.site import hook
from maintenance.site.models_page import make_models_page
from maintenance.site.specification_pages import make_operations_page, make_specification_page
from maintenance.surface import Model, Surface
from maintenance_support import edited
from support import ROOT

SPECIFICATION = Specification.load(ROOT / "openapi.yaml").document

#: Values that the lint accepts: they are data, not texts.
PATTERNS = [
    "<script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "a``<img src=x onerror=alert(1)>```b",
    "`",
    "\\`<b>",
    "a\n\n<script>alert(1)</script>\n\nb",
    'x\n\n--8<-- "LICENSE"\n\ny',
    "[a](javascript:alert(1))",
    "a`{ onclick=alert(1) }`",
    "a|b|<b>",
    "<!-- ",
    "&lt;b&gt;",
    "::: os",
]


class Parser(HTMLParser):
    """The elements of a page, each with the names of its attributes, and the text of its code."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[tuple[str, tuple[str, ...]]] = set()
        self.links: list[str] = []
        self.codes: list[str] = []
        self._in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "code":
            self._in_code = True
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.codes[-1] += data


@pytest.fixture(scope="module")
def markdown() -> Iterator[Markdown]:
    """Markdown as the site renders it. Files are included from the root of the project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        config = load_config(str(ROOT / "mkdocs.yml"))
        yield Markdown(extensions=config["markdown_extensions"], extension_configs=config["mdx_configs"])


@pytest.fixture(scope="module")
def usual(markdown: Markdown) -> Parser:
    """The page of the real document."""
    return render(markdown, SPECIFICATION)[0]


def render(markdown: Markdown, document: dict[str, Any]) -> tuple[Parser, str]:
    text = markdown.reset().convert(make_specification_page(document))
    parser = Parser()
    parser.feed(text)
    return parser, text


@pytest.mark.parametrize("value", PATTERNS)
def test_a_value_is_shown_as_code(value: str, markdown: Markdown, usual: Parser) -> None:
    document = copy.deepcopy(SPECIFICATION)
    schema = {"type": "string", "pattern": value, "enum": [value], "default": value}
    document["components"]["schemas"]["Compute"]["properties"]["odd"] = {**schema, "description": "Odd."}
    document["paths"]["/versions"]["get"].setdefault("parameters", []).append(
        {"name": "odd", "in": "query", "schema": schema}
    )
    page, text = render(markdown, document)
    assert page.elements == usual.elements
    assert {link for link in page.links if ":" in link} == {link for link in usual.links if ":" in link}
    assert "Permission is hereby granted" not in text
    shown = " ".join(value.split())
    assert page.codes.count(shown) - usual.codes.count(shown) == 5


def hostile() -> Iterator[tuple[str, str]]:
    yield "version", edited(lambda document: document["info"].update(version="1.0.0<script>alert(1)</script>"))
    for name, text in {"description": "<script>alert(1)</script> IMDS", "file": '--8<-- ".git/config"\n\nIMDS'}.items():
        yield name, edited(lambda document, text=text: document["info"].update(description=text))


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile()])
def test_the_site_is_not_built_from_a_document_with_markup(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(hook, "ROOT", tmp_path)
    with pytest.raises(PluginError, match=r"openapi\.yaml:\d+: \[markup\]"):
        hook.on_config(load_config(str(ROOT / "mkdocs.yml")))


def test_the_version_in_the_footer_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "_read_specification", lambda path: {"info": {"version": "<b>&1"}})
    config = hook.on_config(load_config(str(ROOT / "mkdocs.yml")))
    specification = "Version &lt;b&gt;&amp;1 of the specification. Not affiliated with Microsoft."
    assert config.copyright == f"azure-imds {__version__}. {specification}"


def test_only_methods_of_a_path_are_operations() -> None:
    document = copy.deepcopy(SPECIFICATION)
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "description": "Of the path."}}
    document["paths"]["/weather"] = {
        "summary": "Weather.",
        "description": "All weather.",
        "servers": [{"url": "http://127.0.0.1"}],
        "parameters": [limit, {**limit, "name": "days"}],
        "x-note": {"tags": ["versions"]},
        "get": {
            "operationId": "Forecast",
            "tags": ["weather-report"],
            "parameters": [{**limit, "schema": {"type": "string", "description": "Of the operation."}}],
            "responses": {"200": {"description": "Sun."}},
        },
    }
    page = make_specification_page(document)
    assert "## weather-report\n\n\n\n### Forecast" in page
    assert "| `limit` | query | string |  | Of the operation. |" in page
    assert "| `days` | query | integer |  | Of the path. |" in page
    assert page.count("| `limit` |") == 1
    operations = make_operations_page(document)
    assert "::: azure_imds_api.api.weather_report.WeatherReportOperations.forecast\n" in operations


#: A document with only what OpenAPI requires.
SMALL: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Small", "version": "7"}, "paths": {}}


def test_a_document_with_only_what_openapi_requires_has_pages() -> None:
    assert "**Small, version 7**" in make_specification_page(SMALL)
    assert "version 7" in make_operations_page(SMALL)
    assert "version 7" in make_models_page(Surface({}, {}, {}), {}, SMALL)


@frozen
class Member:
    """A member of a model that the generator could make from a hostile document."""

    attribute: str
    is_required: bool = False


@pytest.mark.parametrize("value", PATTERNS)
def test_values_and_types_of_models_are_shown_as_code(value: str, markdown: Markdown) -> None:
    def convert(value: str) -> Parser:
        model = Model(
            "Odd", {"odd": f"Even | Literal[{value!r}] | Unset"}, frozenset(), frozenset(), {"odd": "Text."}, "Text."
        )
        surface = Surface({}, {"Odd": model}, {"Even": f"Literal[{value!r}, {value + '2'!r}]"})
        parser = Parser()
        parser.feed(markdown.reset().convert(make_models_page(surface, {"Odd": {value: Member("odd")}}, SMALL)))
        return parser

    page, usual = convert(value), convert("usual")
    assert page.elements == usual.elements
    assert page.links == usual.links
    shown = " ".join(value.split())
    assert shown in page.codes  # the name in JSON
    assert " ".join(f"{value}2".split()) in page.codes
    assert f"Even | Literal[{value!r}] | None" in page.codes
