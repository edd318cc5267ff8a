"""One call of one operation, without I/O: what to send, and what each outcome means.

The two clients are a loop around this, and differ by `await` alone.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import uuid
from typing import Any, Generic, TypeVar

import httpx
from attrs import field, frozen

from azure_imds_api.api import Operation

from . import _arc
from ._clock import SYSTEM, Clock
from ._explain import status_error, transport_error, where
from ._host import Host
from ._retry import GONE_SECONDS, RetryPolicy, retry_after_seconds, seconds_or_none
from ._validation import check_arguments, problems
from ._version import __version__
from .errors import (
    ArcChallengeError,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsUnavailableError,
    ImdsValidationError,
)

T = TypeVar("T")

log = logging.getLogger("azure_imds")

#: Bytes of a body; IMDS's own documents have some thousands.
LARGEST_BODY = 4 * 1024 * 1024

#: Seconds. The address is on this very host: a connection takes milliseconds or never comes.
CONNECT_SECONDS = 2.0
ATTEMPT_SECONDS = 10.0
DEADLINE_SECONDS = 30.0
#: Some seconds more than the 70 within which IMDS is back after a 410.
GONE_DEADLINE_SECONDS = GONE_SECONDS + 5.0

USER_AGENT = f"azure-imds/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"


@frozen(kw_only=True)
class Options:
    """What every call of one client has in common. Times in seconds; None means the default."""

    endpoint: str | None = None
    host: Host
    timeout: float | None = field(default=None, validator=seconds_or_none)
    deadline: float | None = field(default=None, validator=seconds_or_none)
    retry: RetryPolicy | None = field(factory=RetryPolicy)
    clock: Clock = SYSTEM


class TooLarge(Exception):
    """The body went over LARGEST_BODY and was not read to its end."""


class Body:
    """Collects a body, and stops at LARGEST_BODY or when the attempt's time is over."""

    def __init__(self, response: httpx.Response, call: Call[Any]) -> None:
        self._response = response
        self._call = call
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        """Takes one chunk.

        Raises:
            TooLarge: that was too much.
            httpx.ReadTimeout: that was too late.
        """
        self._content += chunk
        if len(self._content) > LARGEST_BODY:
            raise TooLarge
        if self._call.late:
            raise httpx.ReadTimeout("the body did not end in time", request=self._response.request)

    def whole(self) -> httpx.Response:
        """The response with its body, and with a request that carries no credentials."""
        response = self._response
        headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
        bare = httpx.Request(response.request.method, response.request.url)
        return httpx.Response(response.status_code, headers=headers, content=bytes(self._content), request=bare)


#: What one attempt came to. An exception here is a value: raised inside an `except`, our errors would carry it
#: along as their context, and with it a request whose headers may hold a key.
Outcome = httpx.Response | Exception


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
        if host.api_version and "api_version" in operation.rules:
            arguments = {"api_version": host.api_version, **arguments}
        try:
            self._built = operation.build(**arguments)
        except Exception as error:
            raise ImdsValidationError(f"{operation.id}: {type(error).__name__} in the arguments") from None
        self._options = options
        self._operation = operation
        self._arguments = arguments
        self._clock = options.clock
        self._started = self._clock.monotonic()
        usual = max(DEADLINE_SECONDS, operation.response_seconds or 0)
        self._deadline = usual if options.deadline is None else options.deadline
        self._url = str(httpx.URL(host.base_url + self._built["url"], params=self._built.get("params") or None))
        self._until = self._started
        self._attempts = 0
        self._failures = 0
        self._only_gone = True
        self._authorization: str | None = None
        self._challenged = False
        self._answered: httpx.Response | None = None
        self._sent_id = ""
        self.result: T

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
        phases = {"connect": min(seconds, CONNECT_SECONDS), "read": seconds, "write": seconds, "pool": seconds}
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
        return max(0.001, min(one, self._left))

    @property
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
        if isinstance(outcome, (TooLarge, httpx.DecodingError)):
            problem = "is too large" if isinstance(outcome, TooLarge) else "cannot be decoded"
            raise self._unreadable(f"the body {problem}")
        if isinstance(outcome, Exception):
            log.debug("%s %s: %s", self._operation.method, self._url, type(outcome).__name__)
            return self._after_failure(outcome)
        status = outcome.status_code
        log.debug("%s %s: %d, attempt %d", self._operation.method, self._url, status, self._attempts)
        if any(low <= status <= high for low, high in self._operation.success):
            problem = self._read(outcome)
            if problem:
                raise self._unreadable(problem, status)
            return None
        if 200 <= status < 300:
            raise self._unreadable("the specification does not know this status", status)
        if status == 401 and _arc.is_challenge(outcome.headers.get("www-authenticate")):
            self._meet(outcome.headers["www-authenticate"])
            return 0.0
        self._authorization = None  # each key is for one request
        self._answered = outcome
        self._only_gone = self._only_gone and status == 410
        return self._after_status(outcome, self._no(outcome))

    def _meet(self, challenge: str) -> None:
        problem: ArcChallengeError
        if self._authorization is not None:
            problem = ArcChallengeError("Azure Arc's agent did not accept the key that it asked for")
        else:
            try:
                self._authorization = _arc.answer(challenge, self._options.host.is_loopback)
                self._challenged = True
                return
            except ArcChallengeError as error:
                problem = error
        text = f"{self._operation.id}: {problem}" + (f". {problem.hint}" if problem.hint else "")
        self._authorization = None
        raise ArcChallengeError(text, retryable=problem.retryable, hint=problem.hint, **self._facts) from None

    def _no(self, response: httpx.Response) -> ImdsStatusError | ImdsUnavailableError:
        now = self._clock.time()
        return status_error(self._operation, response, sent_id=self._sent_id, now=now, **self._facts)

    def _after_status(self, response: httpx.Response, error: ImdsStatusError | ImdsUnavailableError) -> float:
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

    def _after_failure(self, failure: Exception) -> float:
        self._authorization = None
        self._only_gone = False
        error: ImdsError = transport_error(self._operation, failure, self._deadline, **self._facts)
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
            if not echoes and self._challenged:
                return f"the answer does not repeat the {argument}: this agent ignores it, and answers for the machine"
        return ""

    def _unreadable(self, problem: str, status: int = 200) -> ImdsResponseError:
        return ImdsResponseError(
            f"{self._operation.id}: IMDS's answer cannot be used: {problem} {where(self._facts)}",
            status_code=status,
            **self._facts,
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
