"""Exit statuses: the meaning of each, and the status for an error. `docs/cli.md` shows this table."""

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
    """Exit statuses. From 64 to 78 they follow BSD's sysexits.h; 126 and 127 are those of shells; the last two are 128
    plus the number of a signal."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNVERIFIED = 3
    NOINPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    IOERR = 74
    TEMPFAIL = 75
    PROTOCOL = 76
    NOPERM = 77
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127
    INTERRUPTED = 130
    CLOSED = 141


MEANINGS: dict[Exit, str] = {
    Exit.OK: "Success. For `doctor`: no check failed, though there may be warnings.",
    Exit.FINDINGS: (
        "`doctor`: at least one check failed. `drain --once`: the command failed, or a signal came before its end."
    ),
    Exit.USAGE: "Wrong usage: an invalid option or argument, or an extra that is not installed.",
    Exit.UNVERIFIED: "`attested --verify`: the document failed verification.",
    Exit.NOINPUT: "Not found: the path of `instance` or `--query`, or a permanent 404 from IMDS.",
    Exit.UNAVAILABLE: "IMDS is unavailable: refused, unreachable, disabled, another server or another API.",
    Exit.SOFTWARE: "Internal error. `--verbose` shows the traceback.",
    Exit.IOERR: "The output cannot be written, for example because the disk is full.",
    Exit.TEMPFAIL: "Temporary failure, try again later: no answer in time, 410, 429, 5xx, or 404 on identity.",
    Exit.PROTOCOL: "The response cannot be read.",
    Exit.NOPERM: "Refused: IMDS returned an error, or the key file of Azure Arc cannot be read.",
    Exit.NOT_EXECUTABLE: "`exec`: the command cannot be run.",
    Exit.NOT_FOUND: "`exec`: the command does not exist.",
    Exit.INTERRUPTED: "Stopped by Ctrl-C.",
    Exit.CLOSED: "The reader of the output closed the pipe.",
}


def choose_status(error: ImdsError) -> Exit:
    """The exit status for an error of this package."""
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
