"""The documentation site, as `make docs` builds it: complete, consistent with the code, and self-contained."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client.strings import ClassName

import azure_imds
import azure_imds_emulator
from azure_imds import errors
from azure_imds_api.members import MEMBERS, RESULTS
from docs_support import DOCS
from generator.specification import METHODS, Specification
from maintenance.site.hook import BOOSTS
from maintenance.site.specification_pages import make_operations_page, make_specification_page
from maintenance_support import build_site
from support import ROOT

pytestmark = pytest.mark.integration  # builds the site

SPECIFICATION = Specification.load(ROOT / "openapi.yaml").document


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory)


class Page(HTMLParser):
    """The resources that a page loads, and the anchors that it defines."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.links: list[str] = []
        # Short code has a class that only the style sheet needs.
        self.text = path.read_text(encoding="utf-8").replace('<code class="name">', "<code>")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors.add(given.get("id", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loads += [given[name] for name in ("src", "srcset", "poster", "data", "background") if name in given]
        if tag in ("link", "use", "image", "base") and "href" in given:
            self.loads.append(given["href"])


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}


def outside(address: str) -> bool:
    return re.match(r"(?:[a-z][a-z0-9+.-]*:)?//", address.strip(), re.IGNORECASE) is not None


def test_no_page_loads_anything_from_another_server(pages: dict[str, Page]) -> None:
    assert len(pages) > 30
    assert {name: [load for load in page.loads if outside(load)] for name, page in pages.items() if page.loads} == {
        name: [] for name in pages
    }


def test_no_style_loads_anything_from_another_server(site: Path, pages: dict[str, Page]) -> None:
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    for style in (*styles, *(page.text for page in pages.values())):
        assert not [found for found in re.findall(r"url\(\s*[\"']?([^\"')]*)", style) if outside(found)]
        assert "@import" not in style


def test_no_script_may_load_anything_from_another_server(pages: dict[str, Page]) -> None:
    policy = """<meta http-equiv="Content-Security-Policy" content="default-src 'self' 'unsafe-inline' data:">"""
    assert [name for name, page in pages.items() if policy not in page.text.partition("<script")[0]] == []


@pytest.fixture(scope="session")
def index(site: Path) -> dict[str, Any]:
    """What the search of the site reads."""
    content: dict[str, Any] = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    return content


def test_the_search_index_is_part_of_the_site(index: dict[str, Any]) -> None:
    assert "Preempt" in str(index["docs"])


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("vm_size", "models/#azure_imds_api.models.Compute.vm_size"),
        ("vmSize", "models/#azure_imds_api.models.Compute.vm_size"),
        ("vm size", "models/#azure_imds_api.models.Compute.vm_size"),
        ("tags_list", "models/#azure_imds_api.models.Compute.tags_list"),
        ("tagsList", "models/#azure_imds_api.models.Compute.tags_list"),
        ("access_token", "models/#azure_imds_api.models.IdentityTokenResponse.access_token"),
        ("TokenResponse", "models/#azure_imds_api.models.IdentityTokenResponse"),
        ("credential", "credentials/#azure_imds.ImdsCredential"),
        ("get_token", "operations/#azure_imds_api.api.identity.IdentityOperations.get_token"),
    ],
)
def test_the_search_finds_names_and_their_parts(query: str, place: str, index: dict[str, Any]) -> None:
    [entry] = [entry for entry in index["docs"] if entry["location"] == f"reference/{place}"]
    title, text = (split_as_the_search(part, index) for part in (entry["title"], entry["text"]))
    assert split_as_the_search(query, index) <= title | text
    if query in ("vm_size", "tags_list", "access_token"):
        assert query in title


def split_as_the_search(text: str, index: dict[str, Any]) -> set[str]:
    """Returns the words that the search compares. The pattern has the same meaning in Python as in JavaScript."""
    return {word.lower() for word in re.split(index["config"]["separator"], re.sub(r"<[^>]*>", " ", text)) if word}


def test_every_page_carries_the_version_of_the_specification(pages: dict[str, Page]) -> None:
    version = f"Version {SPECIFICATION['info']['version']} of the specification."
    assert [name for name, page in pages.items() if version not in page.text] == []


def test_every_page_has_its_markdown_and_a_line_in_llms_txt(site: Path, pages: dict[str, Page]) -> None:
    listed = re.findall(r"^- \[.+?\]\((.+?)\)(?:: .+)?$", (site / "llms.txt").read_text(encoding="utf-8"), re.MULTILINE)
    shown = {name.removesuffix("/index.html") for name in pages} - {"404.html"}
    assert {place.removesuffix(".md").removesuffix("/index") for place in listed} == {
        name.replace("index.html", "index") for name in shown
    }
    for place in listed:
        text = (site / place).read_text(encoding="utf-8")
        assert not re.search(r"^ *(?:--8<--|:::)", text, re.MULTILINE), place


def test_every_start_of_a_path_that_the_search_prefers_is_that_of_a_page(site: Path) -> None:
    pages = [path.relative_to(site).as_posix() for path in site.rglob("*.md")]
    assert [start for start in BOOSTS if not any(page.startswith(start) for page in pages)] == []


def test_every_item_of_a_list_is_an_item(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not re.search(r"<(?:p|li)>(?:(?!</(?:p|li)>).)*\n *[*+-] ", page.text, re.DOTALL), name


def test_no_page_contains_an_unexpanded_placeholder(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not re.search(r"--8&lt;--|--8<--|PLACEHOLDER|^:::|:(?:class|meth|func|attr):`", page.text, re.M), name


ANCHORS = (
    {
        f"azure_imds.{name}"
        for name in azure_imds.__all__
        if name not in (*errors.__all__, "__version__", "spec_version")
    }
    | {f"azure_imds.errors.{name}" for name in errors.__all__}
    | {f"azure_imds_emulator.{name}" for name in azure_imds_emulator.__all__}
    | {f"azure_imds.attestation.{name}" for name in ("verify", "fetch_intermediates", "afetch_intermediates")}
)


def test_the_reference_has_every_public_name(pages: dict[str, Page]) -> None:
    anchors = set[str]().union(*(page.anchors for name, page in pages.items() if name.startswith("reference/")))
    assert ANCHORS - anchors == set()


def test_the_reference_has_every_operation(pages: dict[str, Page]) -> None:
    from azure_imds_api.api import Operations, tag_property

    anchors = pages["reference/operations/index.html"].anchors
    methods = [anchor for anchor in anchors if re.fullmatch(r"azure_imds_api\.api\.\w+\.\w+Operations\.\w+", anchor)]
    tags = {name for name, member in vars(Operations).items() if isinstance(member, tag_property)}
    assert {anchor.split(".")[2] for anchor in methods} == tags
    assert len(methods) == sum("x-stands-for" not in operation for _, _, operation in operations())


def test_the_models_page_has_every_field_in_python_and_in_json(pages: dict[str, Page]) -> None:
    page = pages["reference/models/index.html"]
    for model, members in MEMBERS.items():
        for name, member in members.items():
            path = f"azure_imds_api.models.{model}.{member.attribute}"
            assert path in page.anchors
            section = page.text[page.text.index(f'id="{path}"') :].partition("<h")[0]
            required = " · required" if member.is_required else ""
            assert f"· <code>{name}</code> in JSON{required}</p>" in section, f"{model}.{member.attribute}"


def test_the_models_page_has_every_object_and_enum_of_the_specification(pages: dict[str, Page]) -> None:
    anchors = pages["reference/models/index.html"].anchors
    for name in SPECIFICATION["components"]["schemas"]:
        assert f"azure_imds_api.models.{ClassName(name, '')}" in anchors


@pytest.mark.parametrize(
    ("page", "model"),
    [
        ("operations", "IdentityTokenResponse"),
        ("operations", "Instance"),
        ("operations", "StartEventsRequest"),
        ("operations", "TrueFlag"),
        ("helpers", "Instance"),
        ("helpers", "NetworkInterface"),
        ("events", "ScheduledEvent"),
        ("attestation", "AttestedData"),
    ],
)
def test_types_in_signatures_lead_to_the_models(page: str, model: str, pages: dict[str, Page]) -> None:
    assert f"../models/#azure_imds_api.models.{model}" in pages[f"reference/{page}/index.html"].links


def test_every_result_of_an_operation_leads_to_its_model(pages: dict[str, Page]) -> None:
    models = {f"../models/#azure_imds_api.models.{model}" for model in RESULTS.values()}
    assert models - {*pages["reference/operations/index.html"].links} == set()


def test_types_on_the_models_page_lead_to_their_models(pages: dict[str, Page]) -> None:
    page = pages["reference/models/index.html"]
    here = {link.removeprefix("#") for link in page.links if link.startswith("#azure_imds_api.models.")}
    assert here - page.anchors == set()
    for members in MEMBERS.values():
        for member in members.values():
            assert not member.model or f"azure_imds_api.models.{member.model}" in here


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in SPECIFICATION["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


@pytest.mark.parametrize(
    ("method", "path", "operation"), operations(), ids=[operation["operationId"] for _, _, operation in operations()]
)
def test_the_specification_page_describes_the_whole_operation(
    method: str, path: str, operation: dict[str, Any], pages: dict[str, Page]
) -> None:
    text = pages["reference/specification/index.html"].text
    start = text.index(f'id="{operation["operationId"].lower().replace("_", "-")}"')
    section = text[start : text.index("<h", text.index("</h3>", start))]
    assert f"<code>{method.upper()} {path}</code>" in section
    for parameter in operation.get("parameters", ()):
        if "name" in parameter:
            assert f"<code>{parameter['name']}</code>" in section
            if "default" in parameter["schema"]:
                assert f"<code>{parameter['schema']['default']}</code>" in section
            if "pattern" in parameter["schema"]:
                assert "matches <code>" in section


def test_the_specification_page_has_every_field_of_every_schema(pages: dict[str, Page]) -> None:
    page = pages["reference/specification/index.html"]
    for name, schema in SPECIFICATION["components"]["schemas"].items():
        assert name.lower() in page.anchors
        start = page.text.index(f'id="{name.lower()}"')
        section = page.text[start:].partition("<h3")[0]
        for field in schema.get("properties", {}):
            assert f"<code>{field}</code>" in section, f"{name}.{field}"
        for value in schema.get("enum", ()):
            assert f"<code>{value}</code>" in section, f"{name}: {value}"


def test_a_change_of_the_specification_appears_on_its_page() -> None:
    changed = copy.deepcopy(SPECIFICATION)
    changed["info"]["version"] = "7.8.9"
    changed["tags"].append({"name": "weather"})
    changed["paths"]["/weather"] = {
        "get": {
            "operationId": "Weather_GetForecast",
            "tags": ["weather"],
            "deprecated": True,
            "parameters": [{"name": "days", "in": "query", "schema": {"type": "integer", "maximum": 7, "default": 3}}],
            "responses": {"200": {"description": "Sun."}},
        }
    }
    changed["components"]["schemas"]["Compute"]["properties"]["colour"] = {"type": "string", "description": "Blue."}
    page = make_specification_page(changed)
    assert "version 7.8.9" in page
    assert "### Weather_GetForecast" in page
    assert "**Deprecated.**" in page
    assert "| `days` | query | integer | `3` | (to 7) |" in page
    assert "| `colour` | string | Blue. |" in page
    assert "::: azure_imds_api.api.weather.WeatherOperations.get_forecast\n" in make_operations_page(changed)


def test_the_error_catalogue_has_each_class_once_and_no_other() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    classes = errors.__all__
    assert sorted(titles) == sorted(classes)


def test_the_error_catalogue_has_a_meaning_causes_and_a_remedy_for_each_class() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        assert re.search(
            r"\n\n\*\*Meaning:\*\* .*\n\n\*\*Usual causes:\*\*.*\n\n\*\*What to do:\*\* ", section, re.DOTALL
        ), section


def test_the_tree_of_the_catalogue_matches_the_code() -> None:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    tree = text.split("```text\n")[1].split("```")[0]
    path: list[str] = []
    for line in tree.splitlines():
        lead, name = re.match(r"([│├└─ ]*)(\w+)", line).groups()  # type: ignore[union-attr]
        depth = len(lead) // 4
        path[depth:] = [name]
        kind = getattr(errors, name)
        if depth:
            assert kind.__bases__[0].__name__ == path[depth - 1]
    assert len(tree.splitlines()) == len(errors.__all__)
