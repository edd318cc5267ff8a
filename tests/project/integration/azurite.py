"""Azurite, Microsoft's emulator of Azure Storage: a blob service that requires a token, over TLS on loopback."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from integration.certificates import Certificate

ACCOUNT = "devstoreaccount1"

#: Seconds for the process to start or to end, also on a busy machine.
TIME_LIMIT = 60

_LISTENS = re.compile(r"listens on https://([\d.]+:\d+)")


class Azurite:
    """One running, empty blob service.

    Args:
        program: the command that starts `azurite-blob`.
        certificate: the certificate that the service uses.
        folder: the working folder.
        address: the address that it listens on.
        port: the port. 0 is a free port.

    Attributes:
        host: address, port and account: the part of a URL between `https://` and the name of the container.
        authority: the file with the certificate that clients must trust.
    """

    def __init__(
        self,
        program: Sequence[str | Path],
        certificate: Certificate,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.authority = certificate.authority
        self._command = [
            *map(str, program),
            *("--blobHost", address, "--blobPort", str(port)),
            *("--oauth", "basic", "--cert", str(certificate.certificate), "--key", str(certificate.key)),
            "--inMemoryPersistence",
            # The SDK can use an API version that is newer than this Azurite.
            "--skipApiVersionCheck",
            # No reports to its developers.
            "--disableTelemetry",
            "--silent",
        ]
        self._folder = folder
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)}
        self._output: queue.Queue[str | None] = queue.Queue()

    @property
    def url(self) -> str:
        """The URL of the account, for `BlobServiceClient`."""
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
        # Reads to the end, because a full pipe would block the service.
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._output.put(line)
        self._output.put(None)

    def _await_address(self) -> str:
        lines: list[str] = []
        while (line := self._output.get(timeout=TIME_LIMIT)) is not None:
            lines.append(line)
            if found := _LISTENS.search(line):
                return found[1]
        raise RuntimeError(f"Azurite did not start: {''.join(lines)}")

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
