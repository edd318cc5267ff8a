"""The control page in Chromium, controlled through WebDriver."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration import parts

from azure_imds_emulator import Emulator
from emulator_support import make_client, make_client_for, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

pytestmark = pytest.mark.integration


class Browser:
    """The few WebDriver commands that these tests need, without a library."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client = client
        self._session = session

    def command(self, method: str, path: str, **body: Any) -> Any:
        response = self._client.request(
            method, f"/session/{self._session}{path}", json=body if method == "POST" else None, timeout=60
        )
        value = response.json()["value"]
        assert response.status_code == 200, value
        return value

    def open(self, url: str) -> None:
        self.command("POST", "/url", url=url)

    def find(self, selector: str) -> str:
        found: str = self.command("POST", "/element", using="css selector", value=selector)[ELEMENT]
        return found

    def click(self, selector: str) -> None:
        self.command("POST", f"/element/{self.find(selector)}/click")

    def type(self, selector: str, text: str) -> None:
        self.command("POST", f"/element/{self.find(selector)}/clear")
        self.command("POST", f"/element/{self.find(selector)}/value", text=text)

    def text(self, selector: str) -> str:
        script = "return document.querySelector(arguments[0])?.textContent ?? ''"
        found: str = self.command("POST", "/execute/sync", script=script, args=[selector])
        return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    chromium, driver_program = parts.program("chromium"), parts.program("chromedriver")
    log = tmp_path_factory.mktemp("chromium") / "driver.log"
    with running_driver(driver_program, log), make_client(base_url=f"http://127.0.0.1:{read_port(log)}") as client:
        session = start_session(client, chromium, log.parent / "profile")
        try:
            yield Browser(client, session)
        finally:
            client.delete(f"/session/{session}", timeout=60)


@contextmanager
def running_driver(program: Path, log: Path) -> Iterator[None]:
    """Runs ChromeDriver, and kills it and the browsers that it started at the end."""
    with log.open("wb") as output:
        driver = subprocess.Popen(
            [program, "--port=0"], stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(driver.pid, signal.SIGKILL)
            driver.wait()


def read_port(log: Path) -> int:
    marker = "started successfully on port "
    wait_until(lambda: marker in log.read_text())
    return int(log.read_text().partition(marker)[2].split(".")[0].split()[0])


def start_session(client: httpx.Client, chromium: Path, profile: Path) -> str:
    arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
    ]
    options = {
        "goog:chromeOptions": {"binary": str(chromium), "args": arguments},
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    response = client.post("/session", json={"capabilities": {"alwaysMatch": options}}, timeout=120)
    value = response.json()["value"]
    assert response.status_code == 200, value
    session: str = value["sessionId"]
    return session


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
    assert page.command("POST", "/execute/sync", script="return document.querySelectorAll('b').length", args=[]) == 0


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
    page.command("POST", "/execute/sync", script="play.elements.namedItem('name').value = 'spot-eviction'", args=[])
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
    link = page.command("POST", "/execute/sync", script="return document.querySelector('a[download]').href", args=[])
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
        assert page.command("POST", "/execute/sync", script=OBSTACLES, args=[]) == []
        page.click("#schedule button")
        wait_until(lambda: len(emulator.events.events) == 2)
    finally:
        page.command("POST", "/goog/cdp/execute", cmd=clear_metrics, params={})


def test_the_browser_logs_no_error(page: Browser) -> None:
    entries = page.command("POST", "/se/log", type="browser")
    assert [entry for entry in entries if entry["level"] == "SEVERE"] == []
