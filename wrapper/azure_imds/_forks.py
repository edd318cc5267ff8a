"""Resets objects in a forked process, which has only the thread that forked: another thread may have held their locks.

A module of its own, which imports nothing of the package and nothing of `typing` at run time. Python keeps the globals
of a registered function, and everything that they lead to, until it has freed the rest. A program would take longer to
stop, since the garbage collector would visit all modules once more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from typing import Protocol

    class Resettable(Protocol):
        """An object with locks, or with other state that belongs to one process."""

        def reset(self) -> None:
            """Prepares for use in a forked process."""


_objects: WeakSet[Resettable] = WeakSet()


def reset_after_fork(resettable: Resettable) -> None:
    """Calls `resettable.reset()` in every process that is forked from this one, as long as the object exists."""
    _objects.add(resettable)


def _reset_all() -> None:
    for resettable in list(_objects):
        resettable.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
