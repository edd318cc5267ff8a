"""One difference between two versions, and its effect on users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from attrs import frozen

from ..tables import format_table

Effect = Literal["breaking", "compatible"]


@frozen
class Subject:
    """The part of the API that differs.

    Attributes:
        kind: operation, argument, type, field, server, secret, or python for the hand-written part.
        name: such as `identity.get_token`, `identity.get_token(resource)` or `Compute.location`.
    """

    kind: str
    name: str


@frozen
class Change:
    """One row of the table.

    Attributes:
        subject: the part that has changed.
        what: the difference, in a few words. It continues a sentence that starts with the subject.
        effect: the effect on programs that use the old version.
        seen_by: the comparisons that found it.
        new: whether it offers something that the old version did not have.
    """

    subject: Subject
    what: str
    effect: Effect
    seen_by: frozenset[str]
    new: bool = False


def make_added(subject: Subject, seen_by: str) -> Change:
    """Returns the change that only the new version has something."""
    return Change(subject, "is new", "compatible", frozenset({seen_by}), new=True)


def make_removed(subject: Subject, seen_by: str) -> Change:
    """Returns the change that only the old version has something."""
    return Change(subject, "is removed", "breaking", frozenset({seen_by}))


def format_changes(changes: Iterable[Change]) -> str:
    """Returns the changes as a table."""
    rows = [(c.subject.kind, f"`{c.subject.name}`", c.what, c.effect, ", ".join(sorted(c.seen_by))) for c in changes]
    return format_table(("what", "name", "change", "effect", "seen by"), rows)
