"""Builds the errors of this package."""

from __future__ import annotations

from typing import Unpack

from ..errors import AttestationError, CallFacts, ImdsValidationError, Reason


def build_refusal(reason: Reason, problem: str, **facts: Unpack[CallFacts]) -> AttestationError:
    """Returns the error for a document that fails a check.

    Args:
        reason: the check.
        problem: what is wrong, as a sentence about the document ("its nonce is ...") without a full stop.
        facts: attributes of the error. The hint is also added to the message.
    """
    text = f"attested document: {problem}"
    hint = facts.get("hint", "")
    return AttestationError(f"{text}. {hint}" if hint else text, reason=reason, **facts)


def build_argument_error(caller: str, parameter: str, problem: str) -> ImdsValidationError:
    """Returns the error for an invalid argument of the function that the user called."""
    return ImdsValidationError(f"{caller}: {parameter} {problem}", parameter=parameter, problem=problem)
