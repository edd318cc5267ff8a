"""Reads the dates that some hosts of managed identities send in place of Unix seconds.

App Service and Azure Machine Learning send `06/20/2019 02:57:58 +00:00` or `1/16/2020 5:24:12 AM +00:00` (US order, in
UTC). Others send ISO 8601. (Azure/azure-sdk-for-python#9393, Azure/azure-sdk-for-js#4965.)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .._interruptions import is_interruption

_US_DATE = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d+)?(?: ([AP])M)?(?: ?([+-]\d\d:?\d\d|Z))?",
    re.IGNORECASE | re.ASCII,
)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_date(text: str) -> float | None:
    """Converts a date to Unix seconds. Without a time zone, it is in UTC. Returns None for anything else."""
    text = " ".join(text.split())
    match = _US_DATE.fullmatch(text)
    if not match and not _ISO_DATE.match(text):
        return None
    try:
        found = datetime.fromisoformat(_to_iso(match) if match else text)
    except ValueError as error:
        if is_interruption(error):
            raise
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _to_iso(match: re.Match[str]) -> str:
    month, day, year, hour, minute, second = map(int, match.groups()[:6])
    half, zone = match[7], match[8] or "Z"
    # Microsoft's documentation has `00:00:00 PM`. Such an hour is of the 24-hour clock, whatever follows.
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half in "Pp" else 0)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone.upper()}"
