"""What is different in two versions' operations that no signature shows: constraints, defaults, servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .changes import Change, Subject, came_or_went
from .problem import Problem


def data_of(tree: Path) -> dict[str, Any]:
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


def data_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in old["operations"].keys() & new["operations"].keys():
        yield from _operation_changes(name, old["operations"][name], new["operations"][name])
    for name in old["servers"].keys() | new["servers"].keys():
        subject = Subject("server", name)
        before, after = old["servers"].get(name), new["servers"].get(name)
        if before is None or after is None:
            yield came_or_went(subject, DATA, is_new=before is None)
            continue
        for fact in before.keys() | after.keys():
            if before.get(fact) != after.get(fact):
                yield _fact(subject, f"{fact} is {after.get(fact)} instead of {before.get(fact)}", breaks=True)
    for name in set(old["secrets"]) ^ set(new["secrets"]):
        what = "is secret now: no repr shows it" if name in new["secrets"] else "is no secret any more: a repr shows it"
        yield _fact(Subject("secret", name), what, breaks=name in old["secrets"])


DATA = "data"

#: Facts about an operation that its own rows tell, or that are no one's but the wrapper's.
_TOLD_APART = {"id", "name", "rules", "defaults", "required", "exclusive", "answer"}


#: What the surface tells in its own words.
_IN_SIGNATURES = {"name", "in", "type", "required", "example"}


def _fact(subject: Subject, what: str, *, breaks: bool) -> Change:
    return Change(subject, what, "breaking" if breaks else "compatible", frozenset({DATA}))


def _operation_changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    subject = Subject("operation", name)
    for fact in old.keys() | new.keys() - _TOLD_APART:
        if fact not in _TOLD_APART and old.get(fact) != new.get(fact):
            # Where a request goes is nobody's concern but the service's; everything else here is how a call behaves.
            yield _fact(subject, f"{fact} is {_short(new.get(fact))} instead of {_short(old.get(fact))}", breaks=False)
    groups = [{tuple(sorted(group)) for group in side.get("exclusive") or ()} for side in (old, new)]
    for group in sorted(groups[1] - groups[0]):
        looser = any(set(group) < set(other) for other in groups[0])
        yield _fact(subject, f"takes one of {', '.join(group)} at most", breaks=not looser)
    for group in sorted(groups[0] - groups[1]):
        if not any(set(group) & set(other) for other in groups[1]):
            yield _fact(subject, f"takes several of {', '.join(group)} now", breaks=False)
    for argument in old["rules"].keys() & new["rules"].keys():
        place = Subject("argument", f"{name}({argument})")
        before, after = old["defaults"].get(argument), new["defaults"].get(argument)
        if before != after:
            yield _fact(place, f"is {after!r} by default instead of {before!r}", breaks=before is not None)
        yield from _rule_changes(place, old["rules"][argument], new["rules"][argument])


def _rule_changes(subject: Subject, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for keyword in sorted(old.keys() | new.keys()):
        before: Any = old.get(keyword)
        after: Any = new.get(keyword)
        if before == after or keyword in _IN_SIGNATURES:
            continue
        if keyword == "properties":
            for name in (before or {}).keys() & (after or {}).keys():
                inner = Subject("field", f"{subject.name}.{name}")
                yield from _rule_changes(inner, before[name], after[name])
        elif keyword == "items" and before and after:
            yield from _rule_changes(subject, before, after)
        else:
            what = f"{keyword} is {_short(after)} instead of {_short(before)}"
            yield _fact(subject, what, breaks=_tightens(keyword, before, after))


def _tightens(keyword: str, before: Any, after: Any) -> bool:
    """Whether a constraint may refuse now what it let pass."""
    if after is None:
        return False
    if keyword.startswith("min"):
        return bool(before is None or after > before)
    if keyword.startswith("max"):
        return bool(before is None or after < before)
    if keyword == "enum":
        return before is None or not set(before) <= set(after)
    return True  # a pattern, and what is not known here


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
