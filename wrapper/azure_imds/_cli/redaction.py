"""Leaves ids, names and addresses out of the doctor's report, so that it can be shown to others."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from attrs import evolve

from .findings import Finding

_RESOURCE_ID = r"/subscriptions/[^\s\"',;()]+"
_GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b"
_ADDRESS = (
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)|(?<![\w.:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?(?![\w:])"
)


class Redactor:
    """Replaces each private value by its kind and a number. Equal values have equal numbers, so they can be compared.

    Args:
        names: private values that cannot be recognized by their form, such as the name of the machine.
    """

    def __init__(self, names: Iterable[str]) -> None:
        known = sorted((name for name in names if name), key=len, reverse=True)
        kinds = [("resource id", _RESOURCE_ID), ("id", _GUID), ("address", _ADDRESS)]
        if known:
            kinds.insert(1, ("name", rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)"))
        self._kinds = [kind for kind, _ in kinds]
        self._pattern = re.compile("|".join(f"({pattern})" for _, pattern in kinds), re.IGNORECASE)
        self._seen: dict[str, list[str]] = {kind: [] for kind in self._kinds}

    def redact(self, text: str) -> str:
        """Returns the text without private values."""
        return self._pattern.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        kind, value = self._kinds[(match.lastindex or 1) - 1], match[0].lower()
        if kind == "address" and _is_public_knowledge(value):
            return match[0]
        seen = self._seen[kind]
        if value not in seen:
            seen.append(value)
        return f"<{kind} {seen.index(value) + 1}>"


def redact_findings(findings: Iterable[Finding], names: Iterable[str]) -> list[Finding]:
    """Returns the findings without private values."""
    redactor = Redactor(names)
    return [evolve(one, text=redactor.redact(one.text), advice=redactor.redact(one.advice)) for one in findings]


def _is_public_knowledge(text: str) -> bool:
    """Whether an address says nothing about the machine: the same on all machines, or no address at all."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return True
    return address.is_loopback or address.is_link_local or address.is_unspecified
