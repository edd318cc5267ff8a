"""One thing that is different between two versions, and what it does to users."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

Effect = Literal["breaking", "compatible"]


@frozen
class Subject:
    """What is different.

    Attributes:
        kind: operation, argument, type, field, server, secret, or python for the hand-written part.
        name: such as `identity.get_token`, `identity.get_token(resource)` or `Compute.location`.
    """

    kind: str
    name: str


@frozen
class Change:
    """One row.

    Attributes:
        subject: what has changed.
        what: how, in a few words.
        effect: on programs that use the old version.
        seen_by: who noticed.
        new: whether it offers something that was not there.
    """

    subject: Subject
    what: str
    effect: Effect
    seen_by: frozenset[str]
    new: bool = False


def came_or_went(subject: Subject, seen_by: str, *, is_new: bool) -> Change:
    """That something is new, or gone."""
    if is_new:
        return Change(subject, "is new", "compatible", frozenset({seen_by}), new=True)
    return Change(subject, "is gone", "breaking", frozenset({seen_by}))
