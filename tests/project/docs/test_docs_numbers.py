"""Numbers and versions in the documentation are those of the code."""

from __future__ import annotations

import re
from importlib.metadata import version
from inspect import signature

import pytest

from azure_imds import ImdsClient, RetryPolicy
from azure_imds._cli import child, doctor, event_commands, execution, local_checks
from azure_imds._client import answer, arc, http1, options, retry
from azure_imds._events import polling
from azure_imds._tokens import cache
from azure_imds.attestation import _document, _intermediates
from azure_imds_api.api.scheduled_events import SCHEDULED_EVENTS_GET_EVENTS
from support import ROOT

UNREACHABLE = options.UNREACHABLE_SECONDS
DEADLINE = options.DEADLINE_SECONDS
AVAILABLE = str(signature(ImdsClient.is_available).parameters["timeout"].default)
PEERS = (version("azure-identity"), version("msal"))
BODY = answer.LARGEST_BODY / 2**20
GONE = retry.GONE_SECONDS + retry.GONE_WAIT
FIRST_EVENTS = SCHEDULED_EVENTS_GET_EVENTS.response_seconds or 0

#: A page, words of it with `{}` for each number, and the numbers.
NUMBERS: list[tuple[str, str, tuple[float | str, ...]]] = [
    (
        "SECURITY.md",
        "A body over {} MiB or headers over {} KiB",
        (BODY, http1.LARGEST_HEAD / 2**10),
    ),
    ("SECURITY.md", "it is at most {} bytes", (arc.LARGEST_KEY,)),
    ("docs/attestation.md", "The text has more than {} characters", (f"{_document.LARGEST_SIGNATURE:,}",)),
    ("docs/attestation.md", "reads at most {} KiB per certificate", (_intermediates.LARGEST / 2**10,)),
    ("docs/cli.md", "values are cut after {} characters", (event_commands._LONGEST_VALUE,)),
    ("docs/cli.md", "is logged to stderr, up to {} lines", (child.MAX_LINES,)),
    ("docs/cli.md", "tries again after {} seconds", (execution._PAUSE,)),
    ("docs/cli.md", "The doctor takes at most {} seconds", (doctor.SECONDS,)),
    ("docs/cli.md", "gives up after {} seconds if it cannot connect", (local_checks.CONNECT_SECONDS,)),
    ("docs/comparison.md", "azure-identity {} and msal {}", PEERS),
    ("docs/design/call.md", "a body may have up to {} MiB", (BODY,)),
    ("docs/design/call.md", "because IMDS is back within {} seconds", (retry.GONE_SECONDS,)),
    ("docs/design/call.md", "a call ends after {} seconds if nothing accepts", (UNREACHABLE,)),
    (
        "docs/design/decisions.md",
        "ends after {} seconds instead of {}",
        (UNREACHABLE, DEADLINE),
    ),
    ("docs/errors.md", "the call ends after {} seconds, unless", (UNREACHABLE,)),
    ("docs/errors.md", "It is available again within {} seconds", (retry.GONE_SECONDS,)),
    ("docs/errors.md", "set `deadline` to {} seconds or more", (GONE,)),
    ("docs/events.md", "it polls at least every {} seconds", (polling.MAX_BACKOFF,)),
    ("docs/events.md", "waits up to {} seconds for the first response", (FIRST_EVENTS,)),
    ("docs/guides/azure-arc.md", "it has at most {} bytes", (arc.LARGEST_KEY,)),
    ("docs/guides/from-azure-identity.md", "`deadline`, {} seconds by default", (DEADLINE,)),
    ("docs/guides/new-machine.md", "they fail after {} seconds", (UNREACHABLE,)),
    (
        "docs/guides/new-machine.md",
        "`is_available(timeout={})`",
        (AVAILABLE,),
    ),
    ("docs/hosts.md", "azure-identity {} and msal {}", PEERS),
    ("docs/project/support.md", "the tests compare with {} and {}", PEERS),
    ("docs/tokens.md", "the next attempt is made {} seconds later at the earliest", (cache.REFRESH_PAUSE,)),
    (
        "docs/troubleshooting.md",
        "a call ends after {} seconds. If nothing accepts connections, it ends after {} seconds",
        (DEADLINE, UNREACHABLE),
    ),
    ("docs/troubleshooting.md", "If you set a `deadline`, make it at least {} seconds", (GONE,)),
]


@pytest.mark.parametrize(("page", "words", "numbers"), NUMBERS, ids=[f"{page}: {words}" for page, words, _ in NUMBERS])
def test_a_number_is_that_of_the_code(page: str, words: str, numbers: tuple[float | str, ...]) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    shown = re.findall(re.escape(words).replace(r"\{\}", r"([\d.,]*\d)"), text)
    expected = [number if isinstance(number, str) else f"{number:g}" for number in numbers]
    assert [list(found) if isinstance(found, tuple) else [found] for found in shown] == [expected]


def test_the_number_of_retries_is_that_of_the_policy() -> None:
    assert RetryPolicy().attempts == 1 + 5
    assert "by default five times" in (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
