"""The logger of the package, named `azure_imds`, and the structured fields of its records."""

from __future__ import annotations

import logging
from typing import Any

#: Attributes of every record, for handlers that write structured logs. None if they do not apply.
FIELDS = ("operation", "host", "attempt", "status", "elapsed")

log = logging.getLogger("azure_imds")


def _add_missing_fields(record: logging.LogRecord) -> bool:
    for name in FIELDS:
        record.__dict__.setdefault(name, None)
    return True


# Otherwise a format with %(status)s would fail for a record without a status.
log.addFilter(_add_missing_fields)


def error_fields(error: Exception) -> dict[str, Any]:
    """The fields of a record about an error."""
    status = getattr(error, "status_code", None)
    return {
        "attempt": getattr(error, "attempts", None),
        "status": status or None,
        "elapsed": getattr(error, "elapsed", None),
    }
