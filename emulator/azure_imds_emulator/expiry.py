"""Times in the form of an example: a number, Unix seconds as text, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime

from .machine import Json

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?P<between>[T ])\d\d:\d\d:\d\d(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)?")
#: Month, day and year, with or without leading zeros, and a clock of 24 or 12 hours.
_MONTH_FIRST = re.compile(r"(?P<date>\d\d?/\d\d?/\d{4}) \d\d?:\d\d:\d\d(?P<half> [AP]M)?(?P<space> ?)(?P<zone>\S.*)?")


def format_like(example: Json, seconds: int) -> Json:
    """Returns a time, or a number of seconds, in the form of the example.

    Raises:
        ValueError: the form is not known.
    """
    if isinstance(example, int | float):
        return seconds
    text = str(example)
    if text.isdigit():
        return str(seconds)
    if found := _ISO.fullmatch(text):
        moment = datetime.fromtimestamp(seconds, _find_zone(found["zone"]))
        fraction = re.sub(r"\d", "0", found["fraction"] or "")
        return moment.strftime(f"%Y-%m-%d{found['between']}%H:%M:%S{fraction}{found['zone'] or ''}")
    if found := _MONTH_FIRST.fullmatch(text):
        moment = datetime.fromtimestamp(seconds, _find_zone(found["zone"]))
        width = 2 if text.startswith("0") or "/0" in text else 1
        hour = moment.hour if found["half"] is None else moment.hour % 12 or 12
        half = moment.strftime(" %p") if found["half"] else ""
        day = f"{moment.month:0{width}}/{moment.day:0{width}}/{moment.year}"
        return f"{day} {hour:0{width}}:{moment:%M:%S}{half}{found['space']}{found['zone'] or ''}"
    try:
        parsedate_to_datetime(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a form of time that the emulator can write") from None
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=text.endswith("GMT"))


def _find_zone(text: str | None) -> timezone:
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text or "")
    if found is None:
        return UTC
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)
