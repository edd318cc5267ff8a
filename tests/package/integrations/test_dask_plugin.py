"""`DrainPlugin` without a cluster. tests/project/integration/test_dask_drain.py has its behaviour."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from distributed.protocol.pickle import dumps

from azure_imds import ImdsValidationError
from azure_imds.integrations.dask import DrainPlugin


@pytest.mark.parametrize("dump", [pickle.dumps, dumps])
def test_it_is_sent_to_workers_with_its_settings(dump: Any) -> None:
    plugin = DrainPlugin(events=["Preempt"], approve=False, margin=10, interval=2)
    sent = pickle.loads(dump(plugin))
    assert repr(sent) == repr(plugin)
    assert (sent.events, sent.approve, sent.margin, sent.interval) == (["Preempt"], False, 10, 2)


def test_registering_it_again_replaces_it() -> None:
    assert DrainPlugin().name == DrainPlugin(margin=1).name


@pytest.mark.parametrize("events", ["Preempt", [], [""], [1], None, 5])
def test_events_must_be_a_list_of_types(events: Any) -> None:
    with pytest.raises(
        ImdsValidationError, match=r'^DrainPlugin: events must be .*\["Preempt", "Terminate"\]$'
    ) as info:
        DrainPlugin(events=events)
    assert info.value.parameter == "events"


@pytest.mark.parametrize(
    ("name", "value"),
    [("margin", -1), ("margin", "5"), ("margin", True), ("interval", 0.1), ("interval", None), ("interval", 3601)],
)
def test_times_must_be_in_range(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(ImdsValidationError, match=rf"^DrainPlugin: {name} must be .*, such as {name}=5$") as info:
        DrainPlugin(**options)
    assert info.value.parameter == name


def test_a_worker_without_imds_is_left_alone(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")

    class Worker:
        id = "worker"

    async def run() -> None:
        plugin = DrainPlugin(interval=0.2)
        plugin.setup(Worker())
        while not caplog.records:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await plugin.teardown(Worker())
        await plugin.teardown(Worker())  # it has ended

    asyncio.run(run())
    assert "AZURE_IMDS_DISABLED" in caplog.text
