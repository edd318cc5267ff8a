"""The emulator as Python sees it: start, stop, look, and break."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from cryptography import x509

from . import attested
from .arc import ChallengeKeys
from .attested import AttestedDocuments
from .clock import Clock
from .control import INTERMEDIATE_PATH, JWKS_PATH, ControlServer
from .events import EventSchedule
from .faults import FaultBook
from .identity import TokenService, signing_key
from .limits import Limits
from .machine import Json
from .requests import RequestLog
from .server import MetadataServer, Parts
from .service import Service
from .settings import Options, Settings


class Emulator:
    """A metadata service of its own on a loopback port, in a thread of its own.

        with Emulator() as emulator:
            requests.get(f"{emulator.endpoint}/metadata/versions", headers={"Metadata": "true"})

    or `emulator.start()` ... `emulator.stop()`. An emulator can be started again after a stop; what it knows
    stays. All methods and attributes can be used from any thread while it runs.

    Args:
        settings: everything at once, as read from a file.
        clock: a clock of yours, perhaps frozen; default: one that runs with the machine's.
        options: the attributes of `Settings` as keywords (`arc=True`, `token_lifetime=60`, ...); they go
            before `settings`. `rate_limits` is off unless asked for, since limits would make tests depend on how
            fast they run; the stand-alone command has them on.

    Attributes:
        settings: what this emulator was told.
        machine: what is emulated; change it at will, the next request sees it.
        clock: turn it with `clock.advance(seconds)`.
        requests: the requests that came, oldest first, each a `RecordedRequest`; the last
            `max_recorded_requests` of them.
        events: the scheduled events, to approve, cancel and complete.
        faults: the failures to come.
        limits: the rate limits, with the switch `limits.enabled`.
        tokens: the token service, with `tokens.lifetime` in seconds.
        fail: makes the next requests fail, `FaultBook.fail`: `emulator.fail(429, times=3, retry_after=2)`.
        schedule: announces an event, `EventSchedule.schedule`: `emulator.schedule("Reboot", notice=60)`.

    Raises:
        TypeError: an option that does not exist.
    """

    def __init__(
        self, *, settings: Settings | None = None, clock: Clock | None = None, **options: Unpack[Options]
    ) -> None:
        self.settings = replace(settings or Settings(), **options)
        self.machine = self.settings.machine
        self.clock = clock or Clock()
        self.requests = RequestLog(self.settings.max_recorded_requests)
        self.events = EventSchedule(self.machine, self.clock, first_call_delay=self.settings.first_call_delay)
        self.faults = FaultBook(self.clock)
        self.limits = Limits(self.clock, enabled=self.settings.rate_limits)
        self.tokens = TokenService(
            self.machine,
            self.clock,
            lifetime=self.settings.token_lifetime,
            accept_mi_res_id=self.settings.accept_mi_res_id,
        )
        self.attested = AttestedDocuments(self.machine, self.clock, digest_oid=self.settings.attested_digest_oid)
        # Bound methods rather than wrappers: one signature to keep, and editors show it.
        self.fail = self.faults.fail
        self.schedule = self.events.schedule
        for arguments in self.settings.events:
            self.schedule(**arguments)
        for arguments in self.settings.faults:
            self.fail(**arguments)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._keys: ChallengeKeys | None = None
        self._thread: _ServerThread | None = None

    def __repr__(self) -> str:
        kind = "Arc " if self.settings.arc else ""
        return f"<{kind}Emulator {self.endpoint if self._thread else 'not running'}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Listen. Does nothing if it listens already.

        Raises:
            OSError: the address or the folder for key files cannot be used.
        """
        if self._thread:
            return self
        if self.settings.arc:
            self._keys = ChallengeKeys(self._key_folder(), self.clock)
        service = Service(
            self.machine,
            self.tokens,
            self.events,
            self.attested,
            self.limits,
            keys=self._keys,
            arc_echo=self.settings.arc_echo,
        )
        parts = Parts(service, self.limits, self.faults, self.requests, self.clock, self.settings.server)
        thread = _ServerThread(MetadataServer(parts), ControlServer(self), self.settings)
        try:
            thread.start_and_wait()
        except BaseException:
            self._clean_up()
            raise
        self._thread = thread
        self.attested.issuer_url = f"{self.control_url}{INTERMEDIATE_PATH}"
        return self

    def stop(self) -> None:
        """Close every connection, take back what lies on disk, and end the thread. Does nothing if not running."""
        thread, self._thread = self._thread, None
        if thread:
            thread.stop_and_wait()
        self._clean_up()

    @property
    def endpoint(self) -> str:
        """Scheme, host and port of the service, what `AZURE_POD_IDENTITY_AUTHORITY_HOST` takes.

        Raises:
            RuntimeError: the emulator does not run.
        """
        return _url(self.settings.host, self._running().port)

    @property
    def control_url(self) -> str:
        """Scheme, host and port of the control API, and of the page for people.

        Raises:
            RuntimeError: the emulator does not run.
        """
        return _url(self.settings.host, self._running().control_port)

    @property
    def arc_token_dir(self) -> Path:
        """The folder of the Arc agent's key files.

        Raises:
            RuntimeError: the emulator does not run, or is no Arc agent.
        """
        self._running()
        if self._keys is None:
            raise RuntimeError("this emulator is no Arc agent: make it with arc=True")
        return self._keys.folder

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that lead clients here."""
        if self.settings.arc:
            token = f"{self.endpoint}/metadata/identity/oauth2/token"
            return {"IDENTITY_ENDPOINT": token, "IMDS_ENDPOINT": self.endpoint}
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.endpoint}

    @property
    def jwks_url(self) -> str:
        """Where `jwks` can be fetched, for libraries that verify tokens.

        Raises:
            RuntimeError: the emulator does not run.
        """
        return f"{self.control_url}{JWKS_PATH}"

    def jwks(self) -> dict[str, Json]:
        """The public key that tokens are signed with, as a JSON Web Key Set."""
        return signing_key().jwks()

    @property
    def attested_roots(self) -> list[x509.Certificate]:
        """The certificates to trust in order to accept this emulator's attested documents."""
        return [attested.root_certificate()]

    @property
    def attested_intermediates(self) -> list[x509.Certificate]:
        """The certificates between leaf and root, which documents do not carry."""
        return [attested.intermediate_certificate()]

    def reset(self) -> None:
        """Forget events, faults, requests and tokens. Machine, clock and limits stay as they are."""
        self.events.clear()
        self.faults.clear()
        self.tokens.clear()
        self.requests.clear()

    def _running(self) -> _ServerThread:
        if self._thread is None:
            raise RuntimeError("the emulator does not run: use it in a with statement, or call start()")
        return self._thread

    def _key_folder(self) -> Path:
        if self.settings.arc_token_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="azure-imds-emulator-")
            return Path(self._temporary.name)
        folder = Path(self.settings.arc_token_dir).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _clean_up(self) -> None:
        if self._keys:
            self._keys.clear()
            self._keys = None
        if self._temporary:
            self._temporary.cleanup()
            self._temporary = None


class _ServerThread:
    """The thread with the event loop that serves."""

    def __init__(self, metadata: MetadataServer, control: ControlServer, settings: Settings) -> None:
        self._metadata = metadata
        self._control = control
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._started: Future[None] = Future()
        # A daemon, so that a test that forgets to stop does not keep the process alive.
        self._thread = threading.Thread(target=self._run, name="azure-imds-emulator", daemon=True)
        self.port = 0
        self.control_port = 0

    def start_and_wait(self) -> None:
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            self._thread.join()
            raise

    def stop_and_wait(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        settings = self._settings
        try:
            self.port = await self._metadata.start(settings.host, settings.port)
            self.control_port = await self._control.start(settings.host, settings.control_port)
        except BaseException as error:
            await self._metadata.stop()
            await self._control.stop()
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            await self._metadata.stop()
            await self._control.stop()


def _url(host: str, port: int) -> str:
    # An address that means "every interface" is none that a client can use.
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
