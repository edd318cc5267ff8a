"""The control page in Chromium, controlled through WebDriver."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from integration.browser import Browser

from azure_imds_emulator import Emulator
from emulator_support import make_client_for, wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    with make_client_for(emulator) as client:
        yield client


@pytest.fixture
def page(emulator: Emulator, browser: Browser) -> Iterator[Browser]:
    browser.command("POST", "/se/log", type="browser")
    browser.open(f"{emulator.control_url}/")
    wait_until_text(browser, "#endpoint", lambda text: text == emulator.endpoint)
    yield browser
    # Before the emulator stops: the page would log errors.
    browser.open("about:blank")


def wait_until_text(browser: Browser, selector: str, accept: Callable[[str], bool]) -> None:
    end = time.monotonic() + 30
    while not accept(text := browser.text(selector)):
        assert time.monotonic() < end, f"the text of {selector} is still {text!r}"
        time.sleep(0.05)


def test_it_shows_the_machine(page: Browser) -> None:
    machine = page.text("#machine")
    assert "vm-example-0" in machine
    assert "system-assigned" in machine
    assert page.text("#incarnation") == "1"


def test_it_shows_new_requests(page: Browser, http: httpx.Client) -> None:
    http.get("/instance?api-version=<b>bold</b>")
    wait_until_text(page, "#requests", lambda text: "/metadata/instance" in text and "400" in text)
    assert page.run("return document.querySelectorAll('b').length") == 0


def test_its_buttons_schedule_approve_and_complete_an_event(page: Browser, emulator: Emulator) -> None:
    page.click("#schedule button")
    wait_until_text(page, "#events", lambda text: "Scheduled" in text)
    assert emulator.events.events[0].event_type == "Freeze"
    page.click("#events button")
    wait_until_text(page, "#events", lambda text: "Started" in text)
    page.click("#events button")
    wait_until_text(page, "#events", lambda text: text == "")
    assert emulator.events.incarnation == 5


def test_its_buttons_add_and_remove_faults(page: Browser, emulator: Emulator, http: httpx.Client) -> None:
    page.type("#fail [name=times]", "2")
    page.click("#fail button")
    wait_until_text(page, "#faults", lambda text: "429" in text)
    assert [http.get("/versions").status_code for _ in range(3)] == [429, 429, 200]
    page.click("#fail button")
    wait_until_text(page, "#faults", lambda text: "2 more" in text)
    page.click("#clear-faults")
    wait_until_text(page, "#faults", lambda text: text == "")
    assert emulator.faults.pending == ()


def test_its_button_advances_the_clock(page: Browser, emulator: Emulator) -> None:
    emulator.clock.freeze()
    before = emulator.clock.time()
    page.type("#advance [name=seconds]", "3600")
    page.click("#advance button")
    wait_until(lambda: emulator.clock.time() != before)
    assert emulator.clock.time() - before == 3600
    wait_until_text(page, "#time", lambda text: "frozen" in text)


def test_its_buttons_begin_and_stop_a_scenario(page: Browser, emulator: Emulator) -> None:
    page.run("play.elements.namedItem('name').value = 'spot-eviction'")
    page.type("#play [name=after]", "30")
    page.type("#play [name=speed]", "60")
    page.click("#play [name=loop]")
    page.click("#play button")
    wait_until_text(page, "#events", lambda text: "Preempt" in text and "Appears" in text)
    wait_until_text(page, "#scenarios", lambda text: "spot-eviction" in text)
    (event,) = emulator.events.upcoming
    assert (event.scenario, event.every) == ("spot-eviction", (30 + 600 + 60) / 60)
    page.click("#scenarios button")
    wait_until_text(page, "#scenarios", lambda text: text == "")
    assert emulator.events.upcoming == ()


def test_its_link_saves_the_configuration(page: Browser, emulator: Emulator) -> None:
    link = page.run("return document.querySelector('a[download]').href")
    assert link == f"{emulator.control_url}/api/config"


#: What makes a page hard to use on a phone.
OBSTACLES = """
const found = [];
const pageWidth = document.documentElement.scrollWidth;
if (pageWidth > innerWidth) found.push(`the page is ${pageWidth} wide`);
for (const element of document.querySelectorAll("button, input, select, td, section")) {
  const { width, height, right } = element.getBoundingClientRect();
  const name = element.outerHTML.slice(0, 60);
  if (width === 0) continue;
  if (right > innerWidth) found.push(`${name} ends at ${right}`);
  if (element.matches("button, input, select")) {
    if (height < 44) found.push(`${name} is ${height} high`);
    if (parseFloat(getComputedStyle(element).fontSize) < 16) found.push(`${name} has small text`);
  }
  if (element.matches("section") && element.scrollWidth > element.clientWidth) found.push(`${name} scrolls sideways`);
}
return found;
"""


def test_it_can_be_used_on_a_phone(page: Browser, emulator: Emulator, http: httpx.Client) -> None:
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    set_metrics, clear_metrics = "Emulation.setDeviceMetricsOverride", "Emulation.clearDeviceMetricsOverride"
    page.command("POST", "/goog/cdp/execute", cmd=set_metrics, params=metrics)
    try:
        emulator.play("live-migration", loop=True)
        emulator.fail(preset="guest-proxy-agent-forbidden", path="/metadata/identity/oauth2/token", seconds=60)
        http.get("/instance/compute/storageProfile/osDisk/managedDisk/id?api-version=2021-02-01&format=text")
        wait_until_text(page, "#requests", lambda text: "osDisk" in text)
        wait_until_text(page, "#scenarios", lambda text: "live-migration" in text)
        assert page.run(OBSTACLES) == []
        page.click("#schedule button")
        wait_until(lambda: len(emulator.events.events) == 2)
    finally:
        page.command("POST", "/goog/cdp/execute", cmd=clear_metrics, params={})


def test_the_browser_logs_no_error(page: Browser) -> None:
    entries = page.command("POST", "/se/log", type="browser")
    assert [entry for entry in entries if entry["level"] == "SEVERE"] == []
