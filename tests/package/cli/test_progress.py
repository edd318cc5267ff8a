"""The log of a command that runs as a service: a reader that is gone or does not read does not stop the command."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from azure_imds._cli import progress
from azure_imds._cli.progress import show_log, show_steps
from drain_support import FOREVER

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the services of the command line do not run on Windows")

LOG = logging.getLogger("azure_imds")


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TextIO, TextIO]]:
    """The ends of a pipe, and little patience."""
    reading, writing = os.pipe()
    with open(reading, encoding="utf-8") as reader, open(writing, "w", encoding="utf-8") as stderr:
        monkeypatch.setattr(progress, "_PATIENCE", 0.01)
        yield reader, stderr


def ends(action: Callable[[], object]) -> bool:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(FOREVER)
    return not thread.is_alive()


def test_a_log_that_is_not_read_does_not_block(pipe: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    reader, stderr = pipe
    monkeypatch.setattr(sys, "stderr", stderr)

    def fill() -> None:
        for number in range(9000):
            LOG.info("%s", number)

    with show_log(verbose=False):
        show_steps()
        assert ends(fill), "it waits for the reader"
        before = os.read(reader.fileno(), 1 << 20).decode()
        assert before.startswith("azure-imds: 0\n")
        LOG.info("again")
        after = os.read(reader.fileno(), 1 << 20).decode()
    lost = int(after.removeprefix("azure-imds: ").split()[0])
    assert 0 < lost < 9000
    assert after == (
        f"azure-imds: {lost} lines of the log are lost, because nothing has read them\nazure-imds: again\n"
    )
    assert before.count("azure-imds: ") in (9000 - lost, 9001 - lost)


def test_a_log_whose_reader_is_gone_is_no_error(pipe: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    reader, stderr = pipe
    monkeypatch.setattr(sys, "stderr", stderr)
    reader.close()
    with show_log(verbose=False):
        show_steps()
        LOG.info("unread")
