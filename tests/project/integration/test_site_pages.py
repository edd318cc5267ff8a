"""Every page of the documentation site on a phone, in light and dark mode, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.browser import Browser

from emulator_support import wait_until

pytestmark = pytest.mark.integration

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}

#: What makes a page hard to read: each as a text. Text over a drawing or a picture is not checked.
OBSTACLES = """
const found = new Set();
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) found.add("the page scrolls sideways");
for (const table of document.querySelectorAll("article table")) {
  const { right } = table.getBoundingClientRect();
  if (right > width) found.add(`a table ends at ${right}: ${table.textContent.trim().slice(0, 40)}`);
}

const channels = (color) => {
  const [red, green, blue, alpha = 1] = color.match(/[\\d.]+/g).map(Number);
  return [red, green, blue, alpha];
};
const over = (top, below) => [0, 1, 2].map((index) => top[index] * top[3] + below[index] * (1 - top[3]));
const luminance = (color) => {
  const linear = color.map((value) => value / 255).map((value) => (
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  ));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const background = (element) => {
  if (!element) return [255, 255, 255];
  return over(channels(getComputedStyle(element).backgroundColor), background(element.parentElement));
};

const still = document.createElement("style");
still.textContent = "* { transition: none !important }";
document.head.append(still);
for (const scheme of ["default", "slate"]) {
  document.body.setAttribute("data-md-color-scheme", scheme);
  const texts = document.createTreeWalker(document.querySelector(".md-container"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.data.trim();
    if (!text || element.closest("svg, script, style") || !element.checkVisibility({ opacityProperty: true })) continue;
    const style = getComputedStyle(element);
    const below = background(element);
    const shades = [luminance(over(channels(style.color), below)), luminance(below)].sort((one, two) => two - one);
    const contrast = (shades[0] + 0.05) / (shades[1] + 0.05);
    const size = parseFloat(style.fontSize);
    if (contrast < (size >= 24 ? 3 : 4.5)) found.add(`${scheme}: ${contrast.toFixed(2)} for ${text.slice(0, 40)}`);
    if (size < 12) found.add(`${size} pixels: ${text.slice(0, 40)}`);
  }
}
return [...found];
"""


@pytest.fixture
def phone(browser: Browser) -> Iterator[Browser]:
    browser.emulate("Emulation.setDeviceMetricsOverride", **PHONE)
    try:
        yield browser
    finally:
        browser.emulate("Emulation.clearDeviceMetricsOverride")


def test_every_page_can_be_read_on_a_phone(phone: Browser, site_folder: Path, site_url: str) -> None:
    pages = sorted(path.relative_to(site_folder).as_posix() for path in site_folder.rglob("*.html"))
    assert len(pages) > 30
    found = {}
    for page in pages:
        phone.open(site_url + page)
        if obstacles := phone.run(OBSTACLES):
            found[page] = obstacles
    assert found == {}


def test_the_page_for_wrong_addresses_leads_to_pages(browser: Browser, site_folder: Path, site_url: str) -> None:
    browser.open(f"{site_url}404.html")
    links = browser.run("return [...document.querySelectorAll('article a')].map((link) => link.pathname)")
    assert len(links) > 3
    assert [link for link in links if not (site_folder / link.lstrip("/") / "index.html").is_file()] == []


def test_the_button_of_a_console_block_copies_its_commands(browser: Browser, site_url: str) -> None:
    browser.open(f"{site_url}cli/")
    browser.run("document.addEventListener('copy', () => { window.copied = document.activeElement.value; }, true)")
    wait_until(lambda: bool(browser.run("return document.querySelector('.language-console [data-md-type=copy]')")))
    # The browser copies only after a real click.
    browser.click(".language-console [data-md-type=copy]")
    wait_until(lambda: bool(browser.run("return window.copied")))
    assert browser.run("return window.copied") == "azure-imds instance compute/location\nazure-imds identity"
