"""Azurite, Microsoft's emulator of Azure Storage: a blob service that wants a token, over TLS on loopback."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from integration.certificates import Certificate

ACCOUNT = "devstoreaccount1"

#: Seconds for a process to come up or to end, however busy the machine is.
PATIENCE = 60

_LISTENS = re.compile(r"listens on https://(127\.0\.0\.1:\d+)")


class Azurite:
    """One running blob service, with nothing stored in it.

    Args:
        program: `azurite-blob`.
        folder: where it runs and may write.

    Attributes:
        host: address, port and account, as they stand between `https://` and a container's name.
        authority: the file with the certificate that its clients must trust.
    """

    def __init__(self, program: Path, certificate: Certificate, folder: Path) -> None:
        self.authority = certificate.authority
        self._command = [
            str(program),
            *("--blobHost", "127.0.0.1", "--blobPort", "0"),
            *("--oauth", "basic", "--cert", str(certificate.certificate), "--key", str(certificate.key)),
            "--inMemoryPersistence",
            # It knows no API version newer than itself, which the SDK may be.
            "--skipApiVersionCheck",
            # Or it reports to its makers.
            "--disableTelemetry",
            "--silent",
        ]
        self._folder = folder
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)}
        self._said: queue.Queue[str | None] = queue.Queue()

    @property
    def url(self) -> str:
        """The account, as `BlobServiceClient` wants it."""
        return f"https://{self.host}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, name="azurite", daemon=True)
        self._reader.start()
        try:
            self.host = f"{self._await_address()}/{ACCOUNT}"
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _read(self) -> None:
        # To the end, since a full pipe would stop the service.
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._said.put(line)
        self._said.put(None)

    def _await_address(self) -> str:
        lines: list[str] = []
        while (line := self._said.get(timeout=PATIENCE)) is not None:
            lines.append(line)
            if found := _LISTENS.search(line):
                return found[1]
        raise RuntimeError(f"Azurite did not start: {''.join(lines)}")

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
