"""Compares the operation data of two versions: constraints, defaults and servers, which no signature contains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..problem import Problem
from .changes import Change, Subject, make_added, make_removed

NAME = "data"

#: Keys of an operation that are compared below, or that only the wrapper uses.
_COMPARED_ELSEWHERE = {"id", "name", "rules", "defaults", "required", "exclusive", "answer"}

#: Keywords of a rule that refuse no value, or that are part of the signature, which `surface_diff` compares.
_IN_SIGNATURES = {"name", "in", "type", "required", "example"}

#: Keywords that refuse no value of an argument, but that users notice: the command line accepts short names for a
#: resource, and `with_options(params=...)` refuses aliases.
_WITHOUT_LIMIT = {"aliases", "resource"}


def read_data(tree: Path) -> dict[str, Any]:
    """Returns what `operation_data` prints for the generated client of a tree.

    Raises:
        Problem: the client cannot be imported.
    """
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("operation_data.py"))],
        env=os.environ | {"PYTHONPATH": str(tree / "generated"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Problem(f"{tree}: the generated client cannot be imported:\n{done.stderr}")
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def compare_data(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yields the changes between the operation data of two versions."""
    for name in old["operations"].keys() & new["operations"].keys():
        yield from _compare_operation(name, old["operations"][name], new["operations"][name])
    for name in old["servers"].keys() | new["servers"].keys():
        subject = Subject("server", name)
        before, after = old["servers"].get(name), new["servers"].get(name)
        if before is None or after is None:
            yield make_added(subject, NAME) if before is None else make_removed(subject, NAME)
            continue
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key):
                yield _make_change(subject, f"{key} is {after.get(key)} instead of {before.get(key)}", breaks=True)
    for name in set(old["secrets"]) ^ set(new["secrets"]):
        secret = name in new["secrets"]
        what = "is now secret: no repr shows it" if secret else "is no longer secret: a repr shows it"
        yield _make_change(Subject("secret", name), what, breaks=not secret)


def _make_change(subject: Subject, what: str, *, breaks: bool) -> Change:
    return Change(subject, what, "breaking" if breaks else "compatible", frozenset({NAME}))


def _compare_operation(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    subject = Subject("operation", name)
    for key in (old.keys() | new.keys()) - _COMPARED_ELSEWHERE:
        if old.get(key) != new.get(key):
            # Compatible: these keys decide how the request is sent, which programs do not see.
            what = f"{key} is {_shorten(new.get(key))} instead of {_shorten(old.get(key))}"
            yield _make_change(subject, what, breaks=False)
    before, after = ({tuple(sorted(group)) for group in side.get("exclusive") or ()} for side in (old, new))
    yield from _compare_groups(subject, before, after)
    for argument in old["rules"].keys() & new["rules"].keys():
        place = Subject("argument", f"{name}({argument})")
        default, now = old["defaults"].get(argument), new["defaults"].get(argument)
        if default != now:
            yield _make_change(place, f"is {now!r} by default instead of {default!r}", breaks=default is not None)
        yield from _compare_rules(place, old["rules"][argument], new["rules"][argument])


def _compare_groups(subject: Subject, old: set[tuple[str, ...]], new: set[tuple[str, ...]]) -> Iterator[Change]:
    """Compares the groups of arguments that exclude each other."""
    for group in sorted(new - old):
        looser = any(set(group) < set(other) for other in old)
        yield _make_change(subject, f"accepts at most one of {', '.join(group)}", breaks=not looser)
    for group in sorted(old - new):
        if not any(set(group) & set(other) for other in new):
            yield _make_change(subject, f"now accepts several of {', '.join(group)}", breaks=False)


def _compare_rules(subject: Subject, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for keyword in sorted(old.keys() | new.keys()):
        before: Any = old.get(keyword)
        after: Any = new.get(keyword)
        if before == after or keyword in _IN_SIGNATURES:
            continue
        if keyword == "properties":
            for name in (before or {}).keys() & (after or {}).keys():
                inner = Subject("field", f"{subject.name}.{name}")
                yield from _compare_rules(inner, before[name], after[name])
        elif keyword == "items" and before and after:
            yield from _compare_rules(subject, before, after)
        else:
            what = f"{keyword} is {_shorten(after)} instead of {_shorten(before)}"
            yield _make_change(subject, what, breaks=_is_tighter(keyword, before, after))


def _is_tighter(keyword: str, before: Any, after: Any) -> bool:
    """Returns whether a constraint may now refuse a value that it accepted before."""
    if after is None or keyword in _WITHOUT_LIMIT:
        return False
    if keyword.startswith("min"):
        return bool(before is None or after > before)
    if keyword.startswith("max"):
        return bool(before is None or after < before)
    if keyword == "enum":
        return before is None or not set(before) <= set(after)
    return True  # a pattern, or an unknown keyword


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
