"""Builds the errors of this room."""

from __future__ import annotations

from typing import Any

from ..errors import AttestationError, ImdsError, Reason


def refused(reason: Reason, why: str, hint: str = "", **facts: Any) -> AttestationError:
    """The error, to be raised or handed on as a value."""
    text = f"attested document: {why}"
    return AttestationError(f"{text}. {hint}" if hint else text, reason=reason, hint=hint, **facts)


def bare(error: ImdsError) -> ImdsError:
    """The error without the frames and exceptions that it came through, whose variables hold the document."""
    error.__context__ = None
    return error.with_traceback(None)
