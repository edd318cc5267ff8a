"""Whether IMDS answers, and how long to wait until it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._interruptions import concerns_request
from ..errors import ArcChallengeError, ImdsError, ImdsStatusError, ImdsTimeoutError, ImdsUnavailableError
from .host import Host
from .options import Options
from .retry import RetryPolicy
from .validation import invalid

if TYPE_CHECKING:
    from azure_imds_api.models.instance import Instance

#: How long to wait between two checks.
_POLICY = RetryPolicy(first_wait=0.4, longest_wait=2.0)
#: Seconds that are kept for the last check.
_LAST_CHECK = 0.25


def check_timeout(timeout: float, caller: str) -> None:
    """Raises ImdsValidationError if `timeout` is not a positive number."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < float("inf"):
        raise invalid("timeout", "must be a positive number of seconds, for example 30", caller)


def problem_of_error(error: Exception, host: Host) -> ImdsError | None:
    """What an error of a call says about the availability of IMDS. None if IMDS answers."""
    if not concerns_request(error):
        raise error
    if isinstance(error, ArcChallengeError):  # the Azure Arc agent asks for a key, even if we may not read it
        return None if host.is_loopback else error
    if isinstance(error, ImdsError):
        return None if isinstance(error, ImdsStatusError) else error
    return ImdsUnavailableError(f"the transport raised {type(error).__name__}", attempts=1, retryable=True)


def problem_of_document(document: Instance) -> ImdsError | None:
    """What a document says about the availability of IMDS. None if it describes a machine."""
    # An empty object counts, too.
    members = document.to_dict()
    if isinstance(members.get("compute"), dict) or isinstance(members.get("network"), dict):
        return None
    return ImdsUnavailableError("the response is a JSON object, but not from IMDS", attempts=1)


class AvailabilityWait:
    """How often to check, and when to give up.

    Args:
        options: the client's settings.
        timeout: seconds to wait at most.
        caller: what the user called, for messages.
        failure: what has not happened if the time is over.
        check_seconds: seconds that a check may take at most.

    Raises:
        ImdsValidationError: `timeout` is not a positive number.
    """

    def __init__(
        self,
        options: Options,
        timeout: float,
        *,
        caller: str = "wait_until_available",
        failure: str = "IMDS did not answer",
        check_seconds: float = 1.0,
    ) -> None:
        check_timeout(timeout, caller)
        self._options = options
        self._timeout = timeout
        self._words = f"{caller}: {failure}"
        self._check_seconds = check_seconds
        self._started = options.clock.monotonic()
        self._checks = 0

    @property
    def _left(self) -> float:
        return self._timeout - (self._options.clock.monotonic() - self._started)

    @property
    def check_seconds(self) -> float:
        """Seconds that the next check may take."""
        return max(0.001, min(self._check_seconds, self._left))

    def pause_after(self, problem: ImdsError) -> float:
        """Seconds until the next check.

        Raises:
            ImdsTimeoutError: the time is over.
            ImdsError: the problem, if waiting does not help.
        """
        # Nothing was sent: the client is closed, IMDS is disabled, or this host has none.
        if not problem.attempts:
            raise problem
        self._checks += 1
        left = self._left - _LAST_CHECK
        if left <= 0:
            error = ImdsTimeoutError(
                f"{self._words} within {self._timeout:g} s. Last problem: {problem}",
                deadline=self._timeout,
                url=problem.url,
                attempts=self._checks,
                elapsed=self._options.clock.monotonic() - self._started,
                retryable=True,
                hint=problem.hint,
            )
            error.__cause__ = problem.__cause__
            raise error
        return min(_POLICY.wait(self._checks, None, None, self._options.clock), left)
