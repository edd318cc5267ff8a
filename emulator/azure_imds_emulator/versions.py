"""The api-versions that exist, and those that each endpoint supports."""

from __future__ import annotations

#: Versions that programs request and that the documentation does not list. We assume that hosts with them list them.
NEWER: tuple[str, ...] = ("2025-07-24", "2025-11-11", "2025-11-15")

#: The list that `/metadata/versions` returns, oldest first.
PUBLISHED: tuple[str, ...] = (
    "2017-03-01",
    "2017-04-02",
    "2017-08-01",
    "2017-10-01",
    "2017-12-01",
    "2018-02-01",
    "2018-04-02",
    "2018-10-01",
    "2019-02-01",
    "2019-03-11",
    "2019-04-30",
    "2019-06-01",
    "2019-06-04",
    "2019-08-01",
    "2019-08-15",
    "2019-11-01",
    "2020-06-01",
    "2020-07-15",
    "2020-09-01",
    "2020-10-01",
    "2020-12-01",
    "2021-01-01",
    "2021-02-01",
    "2021-03-01",
    "2021-05-01",
    "2021-08-01",
    "2021-10-01",
    "2021-11-01",
    "2021-11-15",
    "2021-12-13",
    "2023-07-01",
    "2023-11-15",
    "2024-03-15",
    "2024-07-17",
    "2025-04-07",
    *NEWER,
)

#: The three newest versions, newest first, as the error for an unknown api-version lists them.
NEWEST: tuple[str, ...] = PUBLISHED[:-4:-1]


def _list_since(first: str) -> frozenset[str]:
    return frozenset(version for version in PUBLISHED if version >= first)


# `/metadata/versions` lists the preview version 2017-03-01, but the documentation starts /instance at 2017-04-02. We
# assume that 2017-03-01 has the fields of 2017-04-02.
INSTANCE = _list_since("2017-03-01")
IDENTITY = _list_since("2018-02-01")
ATTESTED = _list_since("2018-10-01")
LOAD_BALANCER = _list_since("2020-10-01")

#: Scheduled events have their own versions. `/metadata/versions` does not list 2020-07-01, and scheduled events do not
#: support the newest versions in that list.
SCHEDULED_EVENTS = frozenset(
    ("2017-03-01", "2017-08-01", "2017-11-01", "2019-01-01", "2019-04-01", "2019-08-01", "2020-07-01")
)
