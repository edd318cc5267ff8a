"""Exit statuses: what each means, and which one an error has. `docs/cli.md` shows this table."""

from __future__ import annotations

from enum import IntEnum

from ..errors import (
    ArcChallengeError,
    AttestationError,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    ImdsValidationError,
    NotFoundError,
)


class Exit(IntEnum):
    """The statuses. Those from 64 to 78 are named as in BSD's sysexits.h, the last two as shells count signals."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNVERIFIED = 3
    NOINPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    TEMPFAIL = 75
    PROTOCOL = 76
    NOPERM = 77
    INTERRUPTED = 130
    CLOSED = 141


MEANINGS: dict[Exit, str] = {
    Exit.OK: "Done. From `doctor`: nothing failed, though there may be warnings.",
    Exit.FINDINGS: "`doctor` found something that fails.",
    Exit.USAGE: "Wrong usage: a bad option, an argument that IMDS would refuse, or an extra that is not installed.",
    Exit.UNVERIFIED: "`attested --verify`: the document is not to be believed.",
    Exit.NOINPUT: "Nothing is there: the path of `instance` or `--query`, or an answer of 404 that will not pass.",
    Exit.UNAVAILABLE: "Nothing here speaks IMDS: refused, unreachable, another server, disabled, or not this API.",
    Exit.SOFTWARE: "A mistake in this program. `--verbose` shows where.",
    Exit.TEMPFAIL: "Try again later: no answer in time, 410, 429, 5xx, or a 404 of identity.",
    Exit.PROTOCOL: "An answer that cannot be read.",
    Exit.NOPERM: "Refused: IMDS said no, or Azure Arc's key file may not be read.",
    Exit.INTERRUPTED: "Ended by Ctrl-C.",
    Exit.CLOSED: "Nobody reads the output any more.",
}


def status_of(error: ImdsError) -> Exit:
    """The status for an error of this package."""
    for kind, status in (
        (ImdsValidationError, Exit.USAGE),
        (AttestationError, Exit.UNVERIFIED),
        (ImdsTimeoutError, Exit.TEMPFAIL),
        (ImdsUnavailableError, Exit.UNAVAILABLE),
        (ImdsResponseError, Exit.PROTOCOL),
        (ArcChallengeError, Exit.NOPERM),
    ):
        if isinstance(error, kind):
            return status
    if isinstance(error, ImdsStatusError):
        if error.retryable:
            return Exit.TEMPFAIL
        return Exit.NOINPUT if isinstance(error, NotFoundError) else Exit.NOPERM
    return Exit.SOFTWARE
