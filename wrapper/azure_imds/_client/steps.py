"""What follows from an attempt that is not a success, and what a part of a call has used."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import ImdsError
from .single_flight import copy_error


class TryAgain(NamedTuple):
    """Another attempt is due in so many seconds."""

    seconds: float


class Failure(NamedTuple):
    """The call has failed."""

    error: ImdsError

    def copy(self) -> Failure:
        """The failure for another caller, with a traceback of its own."""
        return Failure(copy_error(self.error) or self.error)


class Spent(NamedTuple):
    """The attempts and seconds that a part of a call has used."""

    attempts: int = 0
    seconds: float = 0.0


NOTHING = Spent()
