"""The next version number, by Semantic Versioning."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..problem import Problem
from .changes import Change


def suggest_version(version: str, changes: Sequence[Change]) -> str:
    """Returns the version that the changes require. Before 1.0, breaking changes raise the minor version only.

    Raises:
        Problem: the version does not consist of three numbers.
    """
    major, minor, patch = parse_version(version)
    breaking = any(change.effect == "breaking" for change in changes)
    if breaking and major:
        return f"{major + 1}.0.0"
    if breaking or (major and any(change.new for change in changes)):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if changes else version


def parse_version(version: str) -> tuple[int, int, int]:
    """Returns the three numbers of a version.

    Raises:
        Problem: the version has another form.
    """
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise Problem(f"the version must consist of three numbers, such as 1.2.3, but is {version!r}")
    return int(found[1]), int(found[2]), int(found[3])
