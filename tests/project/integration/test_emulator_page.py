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


def test_every_button_of_an_event_says_which_event(page: Browser, emulator: Emulator) -> None:
    event = emulator.schedule("Reboot")
    wait_until_text(page, "#events", lambda text: "Reboot" in text)
    labels = page.run("return [...document.querySelectorAll('#events button')].map((each) => each.ariaLabel)")
    assert labels == [f"Approve Reboot {event.event_id}", f"Cancel Reboot {event.event_id}"]


def test_the_focus_stays_at_the_event(page: Browser, emulator: Emulator) -> None:
    emulator.schedule("Freeze")
    event = emulator.schedule("Reboot")
    wait_until_text(page, "#events", lambda text: "Reboot" in text)
    page.run("document.querySelectorAll('#events button')[2].focus()")
    focused = "return document.activeElement.ariaLabel"
    emulator.schedule("Redeploy")
    wait_until_text(page, "#events", lambda text: "Redeploy" in text)
    assert page.run(focused) == f"Approve Reboot {event.event_id}"
    page.run("document.activeElement.click()")
    wait_until_text(page, "#events", lambda text: "Started" in text)
    assert page.run(focused) == f"Complete Reboot {event.event_id}"


def test_an_unchanged_list_is_not_replaced(page: Browser, emulator: Emulator) -> None:
    emulator.schedule("Reboot")
    wait_until_text(page, "#events", lambda text: "Reboot" in text)
    page.run("window.row = document.querySelector('#events tr')")
    page.run("refresh()")
    emulator.fail(503)
    wait_until_text(page, "#faults", lambda text: "503" in text)
    assert page.run("return window.row === document.querySelector('#events tr')")


def test_it_says_why_a_change_was_refused(page: Browser) -> None:
    page.run("change('POST', 'api/events', { event_type: 'Nap' })")
    wait_until_text(page, "[role=alert]", lambda text: "Nap" in text)
    page.run("change('POST', 'api/clock', { advance: 1 })")
    wait_until_text(page, "[role=alert]", lambda text: text == "")


def test_it_says_that_the_emulator_has_stopped(browser: Browser) -> None:
    with Emulator() as emulator:
        browser.open(f"{emulator.control_url}/")
        wait_until_text(browser, "#endpoint", lambda text: text == emulator.endpoint)
    try:
        browser.click("#schedule button")
        wait_until_text(browser, "[role=alert]", lambda text: "does not answer" in text)
        wait_until_text(browser, "[role=status]", lambda text: text == "not connected")
    finally:
        browser.open("about:blank")
        browser.command("POST", "/se/log", type="browser")


#: Words that are broken: buttons, headings and short cells with more than one line.
BROKEN = """
const countLines = (element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return range.getClientRects().length;
};
const words = [...document.querySelectorAll("button, th, td:first-child")];
return words.filter((element) => countLines(element) > 1).map((element) => element.textContent);
"""


def test_long_values_break_no_other_words(page: Browser, emulator: Emulator, http: httpx.Client) -> None:
    emulator.schedule("Terminate", resources=["vm-" + 200 * "x", "vm-2"])
    emulator.fail(503, path="/metadata/" + 200 * "x")
    http.get(f"/instance/{200 * 'x'}?api-version=2021-02-01")
    wait_until_text(page, "#requests", lambda text: "xxx" in text)
    wait_until_text(page, "#faults", lambda text: "xxx" in text)
    wait_until_text(page, "#events", lambda text: "xxx" in text)
    assert page.run(BROKEN) == []
    sections = "return [...document.querySelectorAll('section')].filter((each) => each.scrollWidth > each.clientWidth)"
    assert page.run(f"{sections}.length") == 0


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
    page.emulate("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    try:
        emulator.play("live-migration", loop=True)
        emulator.fail(preset="guest-proxy-agent-forbidden", path="/metadata/identity/oauth2/token", seconds=60)
        emulator.fail(503, path="/metadata/" + 200 * "x")
        http.get("/instance/compute/storageProfile/osDisk/managedDisk/id?api-version=2021-02-01&format=text")
        wait_until_text(page, "#requests", lambda text: "osDisk" in text)
        wait_until_text(page, "#scenarios", lambda text: "live-migration" in text)
        assert page.run(OBSTACLES) == []
        page.click("#schedule button")
        wait_until(lambda: len(emulator.events.events) == 2)
    finally:
        page.emulate("Emulation.clearDeviceMetricsOverride")


def test_the_browser_logs_no_error(page: Browser) -> None:
    entries = page.command("POST", "/se/log", type="browser")
    assert [entry for entry in entries if entry["level"] == "SEVERE"] == []
