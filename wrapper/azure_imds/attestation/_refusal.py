"""Builds the errors of this package, and turns other exceptions into them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Unpack

from .._interruptions import is_interruption
from ..errors import AttestationError, CallFacts, ImdsError, ImdsValidationError, Reason


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


@contextmanager
def refusing(reason: Reason, problem: str) -> Generator[None]:
    """Turns any exception into a refusal: hostile bytes make libraries raise exceptions of many types.

    Errors of this package pass. Exceptions that interrupt the call pass too, such as those of signal handlers.
    """
    try:
        yield
    except ImdsError:
        raise
    except Exception as error:
        if is_interruption(error):
            raise
        raise build_refusal(reason, problem) from None


#: The last guard, a decorator: whatever a step raises for hostile bytes, it is a refusal.
refuse_unreadable = refusing("bad_certificate", "its certificate, or another part, cannot be read")
