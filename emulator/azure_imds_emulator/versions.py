"""Which api-versions exist, and where each endpoint begins."""

from __future__ import annotations

#: The list that `/metadata/versions` publishes, oldest first.
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
)

#: What a refusal of an api-version offers: the three newest, newest first.
NEWEST: tuple[str, ...] = PUBLISHED[:-4:-1]


def _since(first: str) -> frozenset[str]:
    return frozenset(version for version in PUBLISHED if version >= first)


# The preview version 2017-03-01 is published though the documentation dates /instance from 2017-04-02: we serve it
# with the fields of 2017-04-02 (a guess).
INSTANCE = _since("2017-03-01")
IDENTITY = _since("2018-02-01")
ATTESTED = _since("2018-10-01")
LOAD_BALANCER = _since("2020-10-01")

#: Scheduled events follow a list of their own; 2020-07-01 is not published, and the newest published ones are not here.
SCHEDULED_EVENTS = frozenset(
    ("2017-03-01", "2017-08-01", "2017-11-01", "2019-01-01", "2019-04-01", "2019-08-01", "2020-07-01")
)
