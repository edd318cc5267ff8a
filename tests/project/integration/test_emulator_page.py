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


def test_the_browser_logs_no_error(page: Browser) -> None:
    entries = page.command("POST", "/se/log", type="browser")
    assert [entry for entry in entries if entry["level"] == "SEVERE"] == []
