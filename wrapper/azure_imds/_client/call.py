"""One call of one operation, without I/O: what to send, and what follows from each outcome.

The two clients are a loop around a `Call` and differ by `await` only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from azure_imds_api.api import Operation

from .._interruptions import is_interruption
from .._log import log
from .._version import __version__
from ..errors import (
    ArcChallengeError,
    CallFacts,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsUnavailableError,
    ImdsValidationError,
    UnsupportedApiVersionError,
)
from .answer import SECRETS_SENT, Outcome, Unreadable
from .api_version import ApiVersion
from .deadline import Deadline
from .error_mapping import not_imds_error, status_error, summary, transport_error
from .not_imds import is_from_imds, is_web_page
from .options import CONNECT_SECONDS, Options
from .retry import retry_after_seconds
from .success import NOTHING, Failure, NotImds, Spent, Success, TryAgain, read_success
from .sync_transport import IS_CANCELLED
from .validation import check_arguments, to_plain

if TYPE_CHECKING:
    from .observation import Observation

T = TypeVar("T")

USER_AGENT = f"azure-imds/{__version__} python/{sys.version.split()[0]} httpx/{httpx.__version__}"


#: Endpoints that have answered in this process. If one of them cannot be reached, it is worth waiting for.
_answered: set[str] = set()


class Call(Generic[T]):
    """One call, from validation to its result or error.

    Args:
        options: the client's settings.
        operation: what to call.
        arguments: its arguments by Python name, without those that were not given.
        spent: what an earlier part of the same call has used.
        observation: collects the facts of the call, if it is observed.

    Raises:
        ImdsValidationError: an argument breaks a constraint of the specification.
        ImdsUnavailableError: IMDS is disabled, or this host has none.
    """

    def __init__(
        self,
        options: Options,
        operation: Operation[T],
        arguments: dict[str, Any],
        spent: Spent = NOTHING,
        observation: Observation | None = None,
    ) -> None:
        self._caller = options.caller or operation.name
        host = options.host
        if host.is_imds:
            check_arguments(operation, arguments, caller=self._caller)
        arguments = {name: to_plain(value) for name, value in arguments.items()}
        if os.environ.get("AZURE_IMDS_DISABLED", "").strip().lower() not in ("", "0", "false", "no"):
            raise ImdsUnavailableError(
                f"{self._caller}: AZURE_IMDS_DISABLED is set, so IMDS is not called", hint="Unset it to use IMDS."
            )
        if not host.is_imds:
            from .stand_in import stand_in

            operation = stand_in(host, operation, arguments, self._caller)
        self._options = options
        self._observation = observation
        self._operation = operation
        self._arguments = arguments
        self._version = ApiVersion(options, operation, arguments)
        self._deadline = Deadline(options, operation, spent.seconds)
        self._attempts = spent.attempts
        self._failures = 0
        self._only_gone = True
        self._authorization: str | None = None
        self._was_challenged = False
        self._error_response: httpx.Response | None = None
        self._request_id = ""
        self._secrets: tuple[bytes, ...] = ()
        self._build()

    def _build(self) -> None:
        arguments: dict[str, Any] = {**self._version.argument, **self._arguments}
        if self._operation.sources:
            from .stand_in import values_of

            arguments, self._secrets = values_of(self._options.host, self._operation, self._arguments, self._caller)
        try:
            built = self._operation.build(**arguments)
        except Exception as error:
            if is_interruption(error):
                raise
            raise ImdsValidationError(f"{self._caller}: {type(error).__name__} in the arguments") from None
        added = dict(self._options.params)
        self._built: dict[str, Any] = {**built, "params": {**(built.get("params") or {}), **added}} if added else built
        self._url = self._options.host.url_of(self._built)
        if self._observation is not None:
            self._observation.note_url(self._operation.method, self._url)

    @property
    def needs_newest(self) -> bool:
        """Whether the host's versions are needed before this call can be sent."""
        return self._version.needs_newest

    def use_newest(self, versions: list[str]) -> None:
        """Asks for the newest of the host's versions."""
        self._version.use_newest(versions)
        self._build()

    @property
    def key(self) -> Hashable:
        """The URL and added headers. Calls with the same ones have the same response, if it may be cached."""
        return self._url, self._options.headers

    @property
    def may_cache(self) -> bool:
        """Whether the client caches and the operation allows it."""
        return self._options.cache and self._operation.cacheable

    @property
    def cached(self) -> httpx.Response | None:
        """The cached response of an earlier call with the same key."""
        return self._options.memory.responses.get(self.key)

    def rebuild(self) -> None:
        """Uses what other calls have learned about the host in the meantime."""
        self._build()

    def note_wait(self) -> None:
        """Notes that this call waits for the response of another one."""
        if self._observation is not None:
            self._observation.note_wait_for_call()

    @property
    def seconds(self) -> float:
        """How long the next attempt may take as a whole."""
        return self._deadline.next_attempt

    def attempt_is_over(self) -> bool:
        """Whether the current attempt has used up its time."""
        return self._deadline.attempt_is_over()

    def next_request(self) -> httpx.Request:
        """The next request, with the seconds that it may take as httpx's `timeout` extension."""
        if self._attempts and self._operation.sources:
            self._build()  # the platform may have replaced its secret
        self._attempts += 1
        self._request_id = _new_guid()
        if self._observation is not None:
            self._observation.note_attempt(self._request_id)
        seconds = self._deadline.start_attempt()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            "x-ms-client-request-id": self._request_id,
            **self._built.get("headers", {}),
        }
        if self._options.headers:
            headers = {**httpx.Headers(headers), **httpx.Headers(self._options.headers)}
        if self._authorization:
            headers["Authorization"] = self._authorization
        # Connecting gets less time than reading, so the error can say which of the two failed.
        phases = {"connect": min(0.9 * seconds, CONNECT_SECONDS), "read": seconds, "write": seconds, "pool": seconds}
        return httpx.Request(
            self._operation.method,
            self._url,
            headers=headers,
            json=self._built.get("json"),
            content=self._built.get("content"),
            data=self._built.get("data"),
            extensions={"timeout": phases, IS_CANCELLED: self._options.is_cancelled, SECRETS_SENT: self._secrets},
        )

    def next_step(self, outcome: Outcome) -> Success[T] | TryAgain | Failure:
        """What follows from the outcome of an attempt. Never raises because of it."""
        had_key = self._authorization is not None
        if self._observation is not None:
            key = (self._authorization or "").removeprefix("Basic ").encode()
            self._observation.note_outcome(outcome, (*self._secrets, key))
        self._authorization = None  # each key is for one request
        result = type(outcome).__name__ if isinstance(outcome, Exception) else outcome.status_code
        log.debug(
            "%s %s: %s, attempt %d",
            *(self._operation.method, self._url, result, self._attempts),
            extra=self._log_fields(None if isinstance(outcome, Exception) else outcome.status_code),
        )
        if isinstance(outcome, Exception):
            return self._after_failure(outcome)
        status = outcome.status_code
        if any(low <= status <= high for low, high in self._operation.success):
            return self._after_success(outcome)
        if 200 <= status < 300 and (not self._options.host.is_imds or is_from_imds(outcome)):
            return self._retry(
                self._response_error("the specification does not define this status", status), False, status
            )
        if status == 401 and self._options.host.is_imds:
            step = self._after_challenge(outcome.headers.get("www-authenticate"), had_key)
            if step is not None:
                return step
        return self._after_error_status(outcome)

    def _after_success(self, response: httpx.Response) -> Success[T] | TryAgain | Failure:
        must_echo = self._was_challenged or self._options.host.server.must_echo
        result = read_success(self._operation, response, self._arguments, must_echo=must_echo)
        is_doubtful = isinstance(result, NotImds) or (isinstance(result, Success) and result.is_doubtful)
        if is_doubtful and not self._is_from_host(response):
            return self._after_other_response(response)
        if not isinstance(result, Success):
            return self._retry(self._response_error(str(result), response.status_code), False, response.status_code)
        self._note_answer()
        if self.may_cache:
            self._options.memory.responses[self.key] = response
        return result

    def _is_from_host(self, response: httpx.Response) -> bool:
        """Whether IMDS has responded, or on another host, whether it may be that host and not a proxy in its place."""
        if self._options.host.is_imds:
            return is_from_imds(response)
        return not 300 <= response.status_code < 400 and not is_web_page(response)

    def _after_other_response(self, response: httpx.Response) -> TryAgain | Failure:
        """Something other than IMDS answered. It gets little time, as if nothing was there."""
        error = not_imds_error(self._caller, response, self._error_facts(), self._options.host.server)
        self._shorten_deadline()
        return self._retry(error, error.retryable and self._operation.idempotent, response.status_code)

    def _after_challenge(self, challenge: str | None, had_key: bool) -> TryAgain | Failure | None:
        """Reads the key that the Azure Arc agent asks for. None if the challenge is not from this agent."""
        from . import arc

        is_loopback = self._options.host.is_loopback
        if had_key:
            problem = ArcChallengeError("the Azure Arc agent rejected the key that it asked for")
        elif challenge is None or not arc.is_challenge(challenge, is_loopback):
            return None
        else:
            answer = arc.answer_challenge(challenge, is_loopback)
            if isinstance(answer, str):
                self._authorization = answer
                self._was_challenged = True
                return TryAgain(0.0)
            problem = answer
        facts = self._error_facts(retryable=problem.retryable, hint=problem.hint)
        return self._retry(ArcChallengeError(f"{self._caller}: {problem} {summary(facts)}", **facts), False, 401)

    def _after_error_status(self, response: httpx.Response) -> TryAgain | Failure:
        if not self._is_from_host(response):
            return self._after_other_response(response)
        self._note_answer()
        status = response.status_code
        self._error_response = response
        self._only_gone = self._only_gone and status == 410
        error = self._status_error(response)
        if isinstance(error, UnsupportedApiVersionError) and self._version.step_down(
            self._built.get("params", {}).get("api-version", ""), error.newest_versions
        ):
            self._build()
            return TryAgain(0.0)
        # IMDS did not carry out what it refused, so repeating it is safe even if the operation is not idempotent.
        was_refused = status in (410, 429)
        may_retry = error.retryable and (self._operation.idempotent or was_refused)
        if self._only_gone:
            self._deadline.extend_for_gone()
        retry_after = retry_after_seconds(response.headers.get("retry-after"), self._now)
        if retry_after is None and (waits := self._operation.retry_waits.get(status)):
            retry_after = waits[min(self._failures, len(waits) - 1)]
        return self._retry(error, may_retry, status, retry_after)

    def _after_failure(self, failure: Exception) -> TryAgain | Failure:
        self._only_gone = False
        was_never_sent = isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError))
        if was_never_sent:
            self._shorten_deadline()
        error: ImdsError
        if isinstance(failure, Unreadable):
            error = self._response_error(f"the body {failure}", failure.status, retryable=failure.is_temporary)
        else:
            error = transport_error(
                self._caller, failure, self._deadline.seconds, self._error_facts(), self._options.host.server
            )
        may_retry = error.retryable
        if may_retry and self._error_response is not None:
            # IMDS did answer this call before. Its own words explain more than the missing answer after them.
            error = self._status_error(self._error_response)
        return self._retry(error, may_retry and (self._operation.idempotent or was_never_sent))

    def _note_answer(self) -> None:
        _answered.add(self._options.host.endpoint)
        self._deadline.restore_after_answer()

    def _shorten_deadline(self) -> None:
        if self._options.host.endpoint not in _answered:
            self._deadline.shorten_for_unreachable()

    def _retry(
        self, error: ImdsError, may_retry: bool, status: int | None = None, retry_after: float | None = None
    ) -> TryAgain | Failure:
        """Another attempt, if the policy allows it. The user's function can overrule `may_retry`."""
        policy = self._options.retry
        if policy is None:
            return Failure(error)
        decision = policy.should_retry(error, self._attempts)
        if not (may_retry if decision is None else decision):
            return Failure(error)
        if status != 410:
            self._failures += 1
            if self._failures >= policy.attempts:
                return Failure(error)
        wait = policy.wait(max(1, self._failures), status, retry_after, self._options.clock)
        if wait >= self._deadline.left:
            return Failure(error)
        words = status or "no answer"
        log.info("%s: %s; waiting %.2f s", self._caller, words, wait, extra=self._log_fields(status))
        return TryAgain(wait)

    @property
    def _title(self) -> str:
        return self._options.host.server.title

    def _log_fields(self, status: int | None) -> dict[str, Any]:
        return {
            "operation": self._operation.name,
            "host": self._options.host.name,
            "attempt": self._attempts,
            "status": status,
            "elapsed": self._deadline.elapsed,
        }

    @property
    def _now(self) -> float:
        return self._options.clock.time()

    def _error_facts(self, *, retryable: bool = False, hint: str = "") -> CallFacts:
        return {
            "url": self._url,
            "attempts": self._attempts,
            "elapsed": self._deadline.elapsed,
            "retryable": retryable,
            "hint": hint,
        }

    def _status_error(self, response: httpx.Response) -> ImdsStatusError:
        return status_error(
            self._operation,
            self._caller,
            response,
            self._error_facts(),
            title=self._title,
            request_id=self._request_id,
            now=self._now,
            argument_names=self._options.argument_names,
        )

    def _response_error(
        self, problem: str, status: int, *, retryable: bool = False, hint: str = ""
    ) -> ImdsResponseError:
        facts = self._error_facts(retryable=retryable, hint=hint)
        text = f"{self._caller}: {self._title}'s response ({status}) cannot be used: {problem} {summary(facts)}"
        return ImdsResponseError(text, status_code=status, **facts)


def _new_guid() -> str:
    """A random GUID (RFC 9562, version 4). The module `uuid` takes longer to import than a request to IMDS takes."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
