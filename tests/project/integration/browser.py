"""Chromium, controlled through WebDriver."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from integration import parts

from emulator_support import make_client, wait_until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


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

    def run(self, script: str, *arguments: Any) -> Any:
        """Runs JavaScript. Returns what it returns."""
        return self.command("POST", "/execute/sync", script=script, args=arguments)

    def emulate(self, command: str, **parameters: Any) -> None:
        """Runs a command of the Chrome DevTools Protocol, such as one that sets the size of the screen."""
        self.command("POST", "/goog/cdp/execute", cmd=command, params=parameters)

    def text(self, selector: str) -> str:
        found: str = self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)
        return found


@contextmanager
def run_browser(folder: Path) -> Iterator[Browser]:
    """Starts a browser with its log and its profile in the folder. Skips the test if it is not installed."""
    chromium, driver_program = parts.program("chromium"), parts.program("chromedriver")
    log = folder / "driver.log"
    with running_driver(driver_program, log), make_client(base_url=f"http://127.0.0.1:{read_port(log)}") as client:
        session = start_session(client, chromium, folder / "profile")
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
