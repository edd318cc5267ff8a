"""The thread that runs both servers of an emulator."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress

from .addresses import explain_bind_errors, make_url
from .control import ControlServer
from .server import MetadataServer
from .settings import Settings


class ServerThread:
    """Runs the metadata server and the control server in one event loop, in a thread of its own.

    Attributes:
        endpoint: URL of the metadata server; `""` before the start.
        control_url: URL of the control server; `""` before the start.
    """

    def __init__(
        self, metadata: MetadataServer, control: ControlServer, settings: Settings, scheme: str = "http"
    ) -> None:
        self._metadata = metadata
        self._control = control
        self._settings = settings
        self._scheme = scheme
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._started: Future[None] = Future()
        # A daemon thread, so that an emulator that was never stopped does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="azure-imds-emulator", daemon=True)
        self.endpoint = ""
        self.control_url = ""

    def start(self) -> None:
        """Starts the thread and returns when both servers listen.

        Raises:
            OSError: an address cannot be used.
        """
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Closes both servers and returns when the thread has ended."""
        # After a failed start the thread has closed its loop already.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        settings = self._settings
        try:
            host, control_host = settings.host, settings.control_host or settings.host
            with explain_bind_errors(host, settings.port, "port"):
                port = await self._metadata.start(host, settings.port)
                self.endpoint = make_url(host, port, self._scheme)
            with explain_bind_errors(control_host, settings.control_port, "control_port"):
                control_port = await self._control.start(control_host, settings.control_port, self.endpoint)
            self.control_url = make_url(control_host, control_port)
            self._started.set_result(None)
            await self._stopping.wait()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)
        finally:
            await self._metadata.stop()
            await self._control.stop()
