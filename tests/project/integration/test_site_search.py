"""The search of the documentation site, in Chromium."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from integration.browser import Browser

from docs_support import build_site
from emulator_support import wait_until

pytestmark = pytest.mark.integration

#: The places that the results lead to, best first.
RESULTS = """
return [...document.querySelectorAll(".md-search-result__item a[href*='#']")].map((link) => new URL(link.href).hash);
"""
SUCCESSFUL = """
return document.querySelector(".md-search-result__meta")?.textContent.includes("matching document");
"""


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing."""


@pytest.fixture(scope="module")
def site_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site on loopback. A search needs a server, because a page from a file must not start a worker."""
    folder = tmp_path_factory.mktemp("site")
    build_site(folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("vm_size", ["models.Compute.vm_size"]),
        ("vmSize", ["models.Compute.vm_size"]),
        ("tags_list", ["models.Compute.tags_list"]),
        ("access_token", ["models.IdentityTokenResponse.access_token"]),
        ("managed_disk", ["models.DataDisk.managed_disk", "models.OsDisk.managed_disk"]),
    ],
)
def test_a_field_is_the_first_result(query: str, places: list[str], browser: Browser, site_url: str) -> None:
    browser.open("about:blank")
    browser.open(f"{site_url}?q={query}")
    wait_until(lambda: bool(browser.run(SUCCESSFUL)))
    assert browser.run(RESULTS)[: len(places)] == [f"#azure_imds_api.{place}" for place in places]


def test_a_part_of_the_name_of_a_class_finds_the_class(browser: Browser, site_url: str) -> None:
    browser.open("about:blank")
    browser.open(f"{site_url}?q=credential")
    wait_until(lambda: bool(browser.run(SUCCESSFUL)))
    assert "#azure_imds.ImdsCredential" in browser.run(RESULTS)[:3]


#: The pages that the results lead to, best first.
PAGES = """
return [...document.querySelectorAll(".md-search-result__link")].map((link) => new URL(link.href).pathname);
"""


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("DefaultAzureCredential", "/troubleshooting/"),
        ("AZURE_CLIENT_ID", "/identity/"),
        ("logging", "/logging/"),
        ("opentelemetry", "/guides/opentelemetry/"),
        ("kubernetes", "/guides/drain-kubernetes/"),
        ("docker", "/troubleshooting/"),
        ("proxy", "/troubleshooting/"),
        ("429", "/troubleshooting/"),
        ("Identity not found", "/troubleshooting/"),
    ],
)
def test_the_words_that_people_bring_are_found(query: str, page: str, browser: Browser, site_url: str) -> None:
    browser.open("about:blank")
    browser.open(f"{site_url}?q={query}")
    wait_until(lambda: bool(browser.run(SUCCESSFUL)))
    assert page in browser.run(PAGES)


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("Identity not found", "/troubleshooting/"),
        ("choose identity", "/identity/"),
        ("drain worker", "/events/"),
        ("eviction", "/events/"),
        ("key vault", "/recipes/"),
        ("two identities", "/identity/"),
        ("which identity", "/identity/"),
    ],
)
def test_the_page_for_a_task_is_the_first_result(query: str, page: str, browser: Browser, site_url: str) -> None:
    browser.open("about:blank")
    browser.open(f"{site_url}?q={query}")
    wait_until(lambda: bool(browser.run(SUCCESSFUL)))
    assert browser.run(PAGES)[0] == page


#: The colour of the text of a drawing, and that of the page behind it.
COLOURS = """
document.body.setAttribute("data-md-color-scheme", arguments[0]);
const text = document.querySelector("figure.diagram svg text");
return [getComputedStyle(text).fill, getComputedStyle(document.body).backgroundColor];
"""


@pytest.mark.parametrize("page", ["benchmarks/", "design/call/"])
def test_a_drawing_has_the_colours_of_the_mode(page: str, browser: Browser, site_url: str) -> None:
    browser.open(f"{site_url}{page}")
    light, dark = (browser.run(COLOURS, scheme) for scheme in ("default", "slate"))
    assert light[0] != dark[0]
    assert light[1] != dark[1]
