"""The emulator as a Python object: start it, stop it, inspect it and make its requests fail."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from cryptography import x509

from . import attested, hosts
from .addresses import ADDRESS_VARIABLE, list_server_names, make_environment
from .arc import ChallengeKeys
from .attested import AttestedDocuments
from .certificates import AUTHORITY_VARIABLES, ServerCertificate, make_certificate
from .clock import Clock
from .control import INTERMEDIATE_PATH, ControlServer
from .events import EventSchedule
from .faults import FaultQueue
from .host_service import HostService
from .identity import TokenService, get_signing_key
from .limits import Limits
from .machine import Json
from .machine_reader import choose_machine
from .openid import JWKS_PATH, Issuer
from .parts import Parts
from .requests import RequestLog, format_line
from .saved_config import format_settings
from .scenarios import ScenarioPlayer
from .server import MetadataServer
from .server_thread import ServerThread
from .service import Service
from .settings import DEFAULT_SERVER, Options, Settings
from .state import make_settings


def _apply_options(settings: Settings, options: Options) -> Settings:
    values: dict[str, Any] = dict(options)
    if isinstance(name := values.get("machine"), str):
        del values["machine"]
        values = choose_machine(name) | values
    return replace(settings, **values)


class Emulator:
    """A metadata service on a loopback port. It runs in a thread of its own.

        with Emulator() as emulator:
            requests.get(f"{emulator.endpoint}/metadata/versions", headers={"Metadata": "true"})

    Without a `with` statement, call `start()` and `stop()`. A stopped emulator can be started again and keeps its
    state. All methods and attributes can be used from any thread.

    Args:
        settings: all settings in one object, for example those of a configuration file.
        clock: the clock to use, for example a frozen one. Default: one that follows the system clock.
        options: the attributes of `Settings` as keywords (`host="app-service"`, `token_lifetime=60`, ...). They
            override `settings`. `machine` can be a `Machine` or the name of a ready-made one, such as `spot`.
            `rate_limits` is off by default here, because rate limits would make a test depend on how fast it runs. The
            command line turns them on.

    Attributes:
        settings: the settings of this emulator.
        machine: the emulated machine. Change it at any time: the next request sees the change.
        clock: the emulator's clock. `clock.advance(seconds)` moves it forward.
        requests: the last `max_recorded_requests` requests, oldest first. Each is a `RecordedRequest`.
        events: the scheduled events. Approve, cancel and complete them here.
        faults: the pending faults.
        limits: the rate limits. `limits.enabled` turns them on and off.
        tokens: the token service. `tokens.lifetime` is in seconds.
        fail: makes the next requests fail, `FaultQueue.fail`: `emulator.fail(429, times=3, retry_after=2)`.
        schedule: adds a scheduled event, `EventSchedule.schedule`: `emulator.schedule("Reboot", notice=60)`.
        play: begins a scenario, `ScenarioPlayer.play`: `emulator.play("spot-eviction", after=30, speed=10)`.
        scenarios: the scenarios. `scenarios.stop(name)` ends one.

    Raises:
        TypeError: an option does not exist.
        ValueError: a setting, event or fault has a wrong value.
    """

    def __init__(
        self, *, settings: Settings | None = None, clock: Clock | None = None, **options: Unpack[Options]
    ) -> None:
        self.settings = _apply_options(settings or Settings(), options)
        self.machine = self.settings.machine
        self.clock = clock or Clock()
        self.requests = RequestLog(self.settings.max_recorded_requests)
        if self.settings.log:
            self.requests.listeners.append(lambda request: print(format_line(request), file=sys.stderr, flush=True))
        self.events = EventSchedule(self.machine, self.clock, first_call_delay=self.settings.first_call_delay)
        self.faults = FaultQueue(self.clock)
        self.limits = Limits(self.clock, enabled=self.settings.rate_limits)
        accepts = self.settings.accept_mi_res_id
        self.tokens = TokenService(
            self.machine,
            self.clock,
            issuer=Issuer(self.machine, self.settings.issuer),
            lifetime=self.settings.token_lifetime,
            accept_mi_res_id=not self.settings.is_arc if accepts is None else accepts,
        )
        self.attested = AttestedDocuments(self.machine, self.clock, digest_oid=self.settings.attested_digest_oid)
        # Bound methods, so that the signature exists once and editors show it.
        self.fail = self.faults.fail
        self.schedule = self.events.schedule
        self.scenarios = ScenarioPlayer(self.events)
        self.play = self.scenarios.play
        for arguments in self.settings.events:
            self.schedule(**arguments)
        for arguments in self.settings.faults:
            self.fail(**arguments)
        for arguments in self.settings.scenarios:
            self.play(**arguments)
        self._parts = Parts(
            settings=self.settings,
            clock=self.clock,
            events=self.events,
            faults=self.faults,
            limits=self.limits,
            requests=self.requests,
            scenarios=self.scenarios,
            tokens=self.tokens,
        )
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._keys: ChallengeKeys | None = None
        self._host_service: HostService | None = None
        self._certificate: ServerCertificate | None = None
        self._thread: ServerThread | None = None

    def __repr__(self) -> str:
        name = self.settings.host_name
        kind = "" if name == hosts.AZURE else "Arc " if self.settings.is_arc else f"{name} "
        return f"<{kind}Emulator {self.endpoint if self._thread else 'not running'}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Starts to listen, and returns the emulator. Does nothing if it is running.

        Raises:
            OSError: the address or the folder for key files cannot be used.
            ValueError: the host has no example with the name of `token_example`.
        """
        if self._thread:
            return self
        try:
            self._thread = self._start_thread()
        except BaseException:
            self._remove_files()
            raise
        self.tokens.issuer.control_url = self.control_url
        self.attested.issuer_url = f"{self.control_url}{INTERMEDIATE_PATH}"
        return self

    def stop(self) -> None:
        """Closes all connections, removes the key files and ends the thread. Does nothing if it is not running."""
        thread, self._thread = self._thread, None
        if thread:
            thread.stop()
        self._remove_files()

    @property
    def endpoint(self) -> str:
        """Scheme, host and port of the metadata service, as `AZURE_POD_IDENTITY_AUTHORITY_HOST` expects it.

        Raises:
            RuntimeError: the emulator is not running.
        """
        return self._get_running_thread().endpoint

    @property
    def control_url(self) -> str:
        """Scheme, host and port of the control API and of the control page.

        Raises:
            RuntimeError: the emulator is not running.
        """
        return self._get_running_thread().control_url

    @property
    def arc_token_dir(self) -> Path:
        """The folder of the Arc agent's key files.

        Raises:
            RuntimeError: the emulator is not running, or does not emulate an Arc agent.
        """
        self._get_running_thread()
        if self._keys is None:
            raise RuntimeError("Emulator.arc_token_dir: this emulator has no Arc agent; create it with arc=True")
        return self._keys.folder

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that direct clients to this emulator. `rotate_secret` changes them.

        Raises:
            RuntimeError: the emulator is not running.
        """
        return self.make_environment(self.endpoint)

    def make_environment(self, endpoint: str) -> dict[str, str]:
        """Returns `environment` for clients that reach the running emulator at another address.

        Args:
            endpoint: scheme, host and port of the metadata service.
        """
        if self._host_service is None:
            return make_environment(endpoint, arc=self.settings.is_arc)
        variables = self._host_service.make_environment(endpoint)
        if self._certificate and self._certificate.authority_file:
            variables |= dict.fromkeys(AUTHORITY_VARIABLES, str(self._certificate.authority_file))
        elif self._certificate and self._host_service.host.certificate:
            variables[self._host_service.host.certificate] = self._certificate.thumbprint
        return variables

    def find_foreign_variables(self, environment: Mapping[str, str]) -> frozenset[str]:
        """Returns the variables of an environment because of which clients would look for another host.

        The pytest fixture and `azure-imds emulator -- COMMAND` remove them.

        Raises:
            RuntimeError: the emulator is not running.
        """
        own = self.environment
        foreign = hosts.find_foreign_variables(self.settings.host_name, own, environment)
        return foreign | ({ADDRESS_VARIABLE} & environment.keys() - own.keys())

    def rotate_secret(self) -> None:
        """Replaces the secret of the emulated host, and its token file. The old ones are refused from now on.

        `environment` has the new secret. The path of the token file does not change.

        Raises:
            RuntimeError: the emulator is not running, or the emulated host has no secret.
        """
        self._get_running_thread()
        if self._host_service is None or not self._host_service.has_secrets:
            raise RuntimeError(f"Emulator.rotate_secret: a host such as {self.settings.host_name} has no secret")
        self._host_service.rotate_secrets()

    @property
    def issuer(self) -> str:
        """The issuer of its tokens, where `/.well-known/openid-configuration` is unless `Settings.issuer` is set.

        Raises:
            RuntimeError: the emulator is not running.
        """
        self._get_running_thread()
        return self.tokens.issuer.get_url()

    @property
    def jwks_url(self) -> str:
        """The URL of `jwks`, for libraries that verify tokens.

        Raises:
            RuntimeError: the emulator is not running.
        """
        return f"{self.control_url}{JWKS_PATH}"

    def jwks(self) -> dict[str, Json]:
        """Returns the public key that verifies the emulator's tokens, as a JSON Web Key Set."""
        return get_signing_key().to_jwks()

    @property
    def attested_roots(self) -> list[x509.Certificate]:
        """The root certificates that verify this emulator's attested documents."""
        return [attested.get_root_certificate()]

    @property
    def attested_intermediates(self) -> list[x509.Certificate]:
        """The certificates between leaf and root. Attested documents do not contain them."""
        return [attested.get_intermediate_certificate()]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a configuration file with which another emulator begins as this one is now.

        It contains all settings, the machine, and the events and faults with their times from now.

        Raises:
            OSError: the file cannot be written.
        """
        Path(path).write_text(format_settings(make_settings(self._parts)), encoding="utf-8")

    def reset(self) -> None:
        """Clears events, faults, recorded requests and cached tokens. Machine, clock and limits do not change."""
        self.events.clear()
        self.faults.clear()
        self.tokens.clear()
        self.requests.clear()

    def _get_running_thread(self) -> ServerThread:
        if self._thread is None:
            raise RuntimeError("Emulator is not running: use it in a with statement, or call start()")
        return self._thread

    def _start_thread(self) -> ServerThread:
        settings, host = self.settings, hosts.load_hosts()[self.settings.host_name]
        service: Service | HostService
        tls: ssl.SSLContext | None = None
        if host.operation is not None:
            folder = self._make_temporary_folder()
            service = self._host_service = HostService(
                host, self.machine, self.tokens, self.clock, folder=folder, example=settings.token_example
            )
            if host.scheme == "https":
                names = list_server_names(settings.host)
                self._certificate = make_certificate(folder, names, self_signed=host.certificate is not None)
                tls = self._certificate.context
        else:
            service = self._make_service()
        is_silent = host.operation is not None and settings.server == DEFAULT_SERVER
        metadata = MetadataServer(
            service,
            self.limits,
            self.faults,
            self.requests,
            self.clock,
            server_header="" if is_silent else settings.server,
            tls=tls,
        )
        control = ControlServer(
            self._parts,
            reset=self.reset,
            get_environment=self.make_environment,
            rotate_secret=self.rotate_secret,
        )
        thread = ServerThread(metadata, control, settings, "https" if tls else "http")
        thread.start()
        return thread

    def _make_service(self) -> Service:
        settings = self.settings
        if settings.is_arc:
            self._keys = ChallengeKeys(self._make_key_folder(), self.clock)
        return Service(
            self.machine,
            self.tokens,
            self.events,
            self.attested,
            self.limits,
            keys=self._keys,
            arc_echo=settings.arc_echo,
            metadata_header=settings.metadata_header or ("any" if settings.is_arc else "exact"),
        )

    def _make_key_folder(self) -> Path:
        if self.settings.arc_token_dir is None:
            return self._make_temporary_folder()
        folder = Path(self.settings.arc_token_dir).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _make_temporary_folder(self) -> Path:
        self._temporary = tempfile.TemporaryDirectory(prefix="azure-imds-emulator-")
        return Path(self._temporary.name)

    def _remove_files(self) -> None:
        self._host_service = self._certificate = None
        if self._keys:
            self._keys.clear()
            self._keys = None
        if self._temporary:
            self._temporary.cleanup()
            self._temporary = None
