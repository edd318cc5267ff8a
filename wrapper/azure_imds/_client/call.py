"""One call of one operation, without I/O: what to send, and what each outcome means.

The two clients are a loop around this, and differ by `await` alone.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import httpx

from azure_imds_api.api import Operation

from .._log import log
from .._version import __version__
from ..errors import (
    ArcChallengeError,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsUnavailableError,
    ImdsValidationError,
    UnsupportedApiVersionError,
)
from .answer import Outcome, Unreadable
from .error_mapping import hint_for_stranger, status_error, transport_error, where
from .options import (
    ATTEMPT_SECONDS,
    CONNECT_SECONDS,
    DEADLINE_SECONDS,
    GONE_DEADLINE_SECONDS,
    LONGEST_ATTEMPT,
    NEWEST,
    VERSION,
    Options,
)
from .retry import retry_after_seconds
from .validation import check_arguments, problems

T = TypeVar("T")

USER_AGENT = f"azure-imds/{__version__} python/{sys.version.split()[0]} httpx/{httpx.__version__}"

_NO_REQUEST = httpx.Request("GET", "/")


def _cut_loose(failure: Exception) -> None:
    """Takes from a failure what it drags along: a request and frames in which a key may be found."""
    failure.__traceback__ = failure.__cause__ = failure.__context__ = None
    if isinstance(failure, httpx.RequestError):
        failure.request = _NO_REQUEST
    if isinstance(failure, httpx.ProtocolError):
        failure.args = ()  # quotes what was on the wire


class Call(Generic[T]):
    """One call, from validation to its result or error.

    Raises:
        ImdsValidationError: an argument breaks a constraint of the specification.
        ImdsUnavailableError: IMDS is disabled, or this host has none.
    """

    def __init__(self, options: Options, operation: Operation[T], arguments: dict[str, Any]) -> None:
        check_arguments(operation, arguments)
        host = options.host
        if os.environ.get("AZURE_IMDS_DISABLED", "").strip().lower() not in ("", "0", "false", "no"):
            raise ImdsUnavailableError("IMDS is disabled here by AZURE_IMDS_DISABLED", hint="Unset it to use IMDS.")
        if host.foreign:
            raise ImdsUnavailableError(
                host.foreign, hint="Use azure-identity's ManagedIdentityCredential on this host."
            )
        self._options = options
        self._operation = operation
        self._clock = options.clock
        self._started = self._clock.monotonic() - options.spent
        usual = max(DEADLINE_SECONDS, operation.response_seconds or 0)
        self._deadline = usual if options.deadline is None else options.deadline
        self._takes_any_version = operation.version_fallback and "api_version" not in arguments
        self._arguments = arguments
        self._set_version(self._usual_version())
        self._until = self._started
        self._attempts = options.tried
        self._failures = 0
        self._only_gone = True
        self._authorization: str | None = None
        self._challenged = False
        self._answered: httpx.Response | None = None
        self._sent_id = ""
        self.result: T

    def _usual_version(self) -> str | None:
        """The version for a caller who named none; None for the operation's own default."""
        options = self._options
        if not self._takes_any_version:
            return options.host.api_version
        asked = options.memory.newest if options.api_version == NEWEST else options.api_version
        return options.memory.versions.get(self._operation.id) or asked or options.host.api_version

    def _set_version(self, version: str | None) -> None:
        operation, arguments = self._operation, self._arguments
        if version and "api_version" in operation.rules:
            arguments = {"api_version": version, **arguments}
        try:
            self._built = operation.build(**arguments)
        except Exception as error:
            raise ImdsValidationError(f"{operation.id}: {type(error).__name__} in the arguments") from None
        params = self._built.get("params") or None
        self._url = str(httpx.URL(self._options.host.base_url + self._built["url"], params=params))

    @property
    def wants_newest(self) -> bool:
        """Whether the host's versions are needed before this call can be sent."""
        options = self._options
        return self._takes_any_version and options.api_version == NEWEST and options.memory.newest is None

    def use_newest(self, versions: Sequence[str]) -> None:
        """Takes the host's versions, in any order, and asks for the newest."""
        self._options.memory.newest = max(filter(VERSION.fullmatch, versions), default=None)
        self._set_version(self._usual_version())

    @property
    def kept(self) -> httpx.Response | None:
        """The answer that an earlier call of the same kind left, if the caller wished so."""
        return self._options.memory.answers.get(self._url) if self._keeps else None

    @property
    def _keeps(self) -> bool:
        return self._options.cache and self._operation.cacheable

    # What to send

    def request(self) -> httpx.Request:
        """The next request; it carries the seconds that it may take as httpx's `timeout` extension."""
        self._attempts += 1
        self._sent_id = str(uuid.uuid4())
        seconds = self.seconds
        self._until = self._clock.monotonic() + seconds
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            "x-ms-client-request-id": self._sent_id,
            **self._built.get("headers", {}),
        }
        if self._authorization:
            headers["Authorization"] = self._authorization
        # A connect that never comes is to be told from an answer that never comes, so it ends first.
        phases = {"connect": min(0.9 * seconds, CONNECT_SECONDS), "read": seconds, "write": seconds, "pool": seconds}
        return httpx.Request(
            self._operation.method,
            self._url,
            headers=headers,
            json=self._built.get("json"),
            content=self._built.get("content"),
            extensions={"timeout": phases},
        )

    @property
    def seconds(self) -> float:
        """How long the next attempt may take as a whole."""
        one = self._options.timeout
        if one is None:
            one = max(ATTEMPT_SECONDS, self._operation.response_seconds or 0)
        return max(0.001, min(one, self._left, LONGEST_ATTEMPT))

    def late(self) -> bool:
        """Whether the attempt under way has used up its time."""
        return self._clock.monotonic() > self._until

    @property
    def _left(self) -> float:
        return self._deadline - self._elapsed

    @property
    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._started

    @property
    def _facts(self) -> dict[str, Any]:
        return {"url": self._url, "attempts": self._attempts, "elapsed": self._elapsed}

    # What an outcome means

    def settle(self, outcome: Outcome) -> float | None:
        """None once `result` is there, else the seconds to wait before the next attempt.

        Raises:
            ImdsError: the call is over.
        """
        keyed, self._authorization = self._authorization is not None, None  # each key is for one request
        if isinstance(outcome, Exception):
            name = type(outcome).__name__
            log.debug("%s %s: %s, attempt %d", self._operation.method, self._url, name, self._attempts)
            return self._after_failure(outcome)
        status = outcome.status_code
        log.debug("%s %s: %d, attempt %d", self._operation.method, self._url, status, self._attempts)
        if any(low <= status <= high for low, high in self._operation.success):
            problem = self._read(outcome)
            if problem:
                hint = hint_for_stranger(outcome)
                del outcome  # an error's traceback keeps this frame, and this is a success's body
                raise self._unreadable(problem, status, hint=hint)
            if self._keeps:
                self._options.memory.answers[self._url] = outcome
            return None
        if 200 <= status < 300:
            del outcome
            raise self._unreadable("the specification does not know this status", status)
        if status == 401 and self._meet(outcome.headers.get("www-authenticate"), keyed):
            return 0.0
        self._answered = outcome
        self._only_gone = self._only_gone and status == 410
        return self._after_status(outcome, self._no(outcome))

    def _meet(self, challenge: str | None, keyed: bool) -> bool:
        """Gets the key that Azure Arc's agent asks for; False where it is not this agent that asks."""
        from . import arc

        if not (keyed or arc.is_challenge(challenge, self._options.host.is_loopback)):
            return False
        problem: ArcChallengeError
        if keyed or challenge is None:
            problem = ArcChallengeError("Azure Arc's agent did not accept the key that it asked for")
        else:
            try:
                self._authorization = arc.answer(challenge, self._options.host.is_loopback)
                self._challenged = True
                return True
            except ArcChallengeError as error:
                problem = error
        _cut_loose(problem)
        text = f"{self._operation.id}: {problem} {where(self._facts)}" + (f". {problem.hint}" if problem.hint else "")
        raise ArcChallengeError(text, retryable=problem.retryable, hint=problem.hint, **self._facts)

    def _no(self, response: httpx.Response) -> ImdsStatusError | ImdsUnavailableError:
        now = self._clock.time()
        return status_error(self._operation, response, sent_id=self._sent_id, now=now, **self._facts)

    def _after_status(self, response: httpx.Response, error: ImdsStatusError | ImdsUnavailableError) -> float:
        if isinstance(error, UnsupportedApiVersionError) and self._step_down(error.newest_versions):
            return 0.0
        status = response.status_code
        # Refused, so not carried out: safe to repeat even where twice is not once.
        refused = status in (410, 429)
        if not error.retryable or not (self._operation.idempotent or refused):
            raise error
        if self._only_gone and self._options.deadline is None:
            self._deadline = max(self._deadline, GONE_DEADLINE_SECONDS)
        return self._wait_or_raise(
            error, status, retry_after_seconds(response.headers.get("retry-after"), self._clock.time())
        )

    def _step_down(self, offered: Sequence[str]) -> bool:
        """Takes the newest version that the host offers and the specification is new enough for, once."""
        asked = self._built["params"]["api-version"] if self._takes_any_version else ""
        older = [version for version in offered if VERSION.fullmatch(version) and version < asked]
        if not self._options.step_down or not older:
            return False
        self._takes_any_version = False
        version = self._options.memory.versions[self._operation.id] = max(older)
        log.info("%s: this host does not know %s; asking for %s from now on", self._operation.id, asked, version)
        self._set_version(version)
        return True

    def _after_failure(self, failure: Exception) -> float:
        self._only_gone = False
        error: ImdsError
        if isinstance(failure, Unreadable):
            error = self._unreadable(f"the body {failure}", failure.status, retryable=failure.passing)
        else:
            error = transport_error(self._operation, failure, self._deadline, **self._facts)
        _cut_loose(failure)
        if not error.retryable:
            raise error
        if self._answered is not None:
            # IMDS did answer this call before: its own words say more than a silence after them.
            error = self._no(self._answered)
        never_sent = isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout))
        if not (self._operation.idempotent or never_sent):
            raise error
        return self._wait_or_raise(error, None, None)

    def _wait_or_raise(self, error: ImdsError, status: int | None, retry_after: float | None) -> float:
        policy = self._options.retry
        if policy is None:
            raise error
        if status != 410:
            self._failures += 1
            if self._failures >= policy.attempts:
                raise error
        wait = policy.wait(max(1, self._failures), status, retry_after, self._clock)
        if wait >= self._left:
            raise error
        log.info("%s: %s; waiting %.2f s", self._operation.id, status or "no answer", wait)
        return wait

    # What a success says

    def _read(self, response: httpx.Response) -> str:
        """Sets `result`, or says why it cannot. Never raises: this frame holds the body, and a traceback its frames."""
        operation = self._operation
        document: Any = None
        if operation.answer:
            try:
                document = json.loads(response.content)
            except (ValueError, RecursionError):
                return "the body is not JSON" if response.content else "the body is empty"
            for place, what in problems(operation.answer, document):
                return f"the body{place} {what}"
            if problem := self._other_identity(document):
                return problem
        try:
            self.result = operation.parse(client=None, response=_Read(response, document))
        except Exception as error:
            return f"the body does not fit the model ({type(error).__name__})"
        return ""

    def _other_identity(self, document: Any) -> str:
        """Why a token is not the one that was asked for; "" where it is. (Reference: Azure Arc's echo.)"""
        for argument, names in self._operation.echoed.items():
            asked = self._arguments.get(argument)
            if asked is None:
                continue
            echoes = [document[name] for name in names if document.get(name)]
            if any(str(echo).lower() != str(asked).lower() for echo in echoes):
                return f"the answer is for another identity than the {argument} that was asked for"
            if not echoes and (self._challenged or self._options.host.api_version is not None):
                return f"the answer does not repeat the {argument}: this agent ignores it, and answers for the machine"
        return ""

    def _unreadable(self, problem: str, status: int, *, retryable: bool = False, hint: str = "") -> ImdsResponseError:
        text = f"{self._operation.id}: IMDS's answer ({status}) cannot be used: {problem} {where(self._facts)}"
        return ImdsResponseError(
            f"{text}. {hint}" if hint else text, status_code=status, retryable=retryable, hint=hint, **self._facts
        )


class _Read:
    """What generated code asks of a response, with the body parsed once."""

    def __init__(self, response: httpx.Response, document: Any) -> None:
        self._response = response
        self._document = document
        self.status_code = response.status_code

    def json(self) -> Any:
        return self._response.json() if self._document is None else self._document

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)
