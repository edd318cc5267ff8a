"""The search of the documentation site, in Chromium."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from integration.browser import Browser

from emulator_support import wait_until

pytestmark = pytest.mark.integration

#: The places that the results lead to, best first.
RESULTS = """
return [...document.querySelectorAll(".md-search-result__item a[href*='#']")].map((link) => new URL(link.href).hash);
"""
SUCCESSFUL = """
return document.querySelector(".md-search-result__meta")?.textContent.includes("matching document");
"""


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
const links = [...document.querySelectorAll(".md-search-result__link")];
return [...new Set(links.map((link) => new URL(link.href).pathname))];
"""

#: What people type, and a page that helps.
WORDS = {
    # names of other libraries, of services and of programs
    "aws": "/faq/",
    "boto": "/faq/",
    "celery": "/guides/drain-celery/",
    "cloud-init": "/guides/systemd/",
    "curl": "/cli/",
    "DefaultAzureCredential": "/troubleshooting/",
    "docker": "/troubleshooting/",
    "github": "/guides/containers-and-ci/",
    "gunicorn": "/guides/drain-gunicorn/",
    "key vault": "/recipes/",
    "keyvault": "/guides/azure-sdks/",
    "kubectl": "/cli/",
    "kubernetes": "/guides/drain-kubernetes/",
    "openai": "/guides/token-clients/",
    "opentelemetry": "/guides/opentelemetry/",
    "pymongo": "/guides/token-clients/",
    "pypy": "/project/support/",
    "pytest": "/guides/testing/",
    "systemd": "/guides/systemd/",
    # hosts
    "aks": "/guides/aks/",
    "app service": "/guides/app-service/",
    "arc": "/guides/azure-arc/",
    "cloud shell": "/guides/cloud-shell/",
    "container apps": "/guides/app-service/",
    "federation": "/guides/workload-identity/",
    "functions": "/guides/app-service/",
    "windows": "/guides/windows/",
    "workload identity": "/guides/workload-identity/",
    # messages and numbers
    "400": "/troubleshooting/",
    "403": "/troubleshooting/",
    "404": "/troubleshooting/",
    "407": "/troubleshooting/",
    "410": "/troubleshooting/",
    "429": "/troubleshooting/",
    "500": "/troubleshooting/",
    "audience is incorrect": "/troubleshooting/",
    "CERTIFICATE_VERIFY_FAILED": "/troubleshooting/",
    "connection refused in a container": "/troubleshooting/",
    "empty body": "/troubleshooting/",
    "Identity not found": "/troubleshooting/",
    "Multiple user assigned identities exist": "/troubleshooting/",
    "token of the wrong identity": "/troubleshooting/",
    "works on the host, not in the pod": "/troubleshooting/",
    # situations and things
    "api-version": "/instance/",
    "AZURE_CLIENT_ID": "/identity/",
    "benchmark": "/benchmarks/",
    "certificate": "/troubleshooting/",
    "credential chain": "/guides/azure-sdks/",
    "drain": "/events/",
    "environment variable": "/reference/environment/",
    "eviction": "/events/",
    "fake": "/guides/testing/",
    "fixture": "/guides/testing/",
    "fork": "/faq/",
    "hang": "/troubleshooting/",
    "IMDS": "/",
    "logging": "/logging/",
    "managed identity": "/identity/",
    "mock": "/guides/testing/",
    "MSI": "/identity/",
    "preempt": "/events/",
    "proxy": "/troubleshooting/",
    "refresh": "/tokens/",
    "retry": "/reference/clients/",
    "slow": "/faq/",
    "spot": "/events/",
    "SSL": "/troubleshooting/",
    "tags": "/recipes/",
    "thread": "/faq/",
    "timeout": "/troubleshooting/",
    "TLS": "/faq/",
    "user data": "/recipes/",
}


@pytest.mark.parametrize(("query", "page"), WORDS.items())
def test_a_page_that_helps_is_among_the_first_three(query: str, page: str, browser: Browser, site_url: str) -> None:
    browser.open("about:blank")
    browser.open(f"{site_url}?{urlencode({'q': query})}")
    wait_until(lambda: bool(browser.run(SUCCESSFUL)))
    assert page in browser.run(PAGES)[:3]


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
