"""User-like code with mistakes. Never run: each marked line must be an error to strict type checkers.

A mark that is not needed is an error too, so a mistake that becomes valid is noticed.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import azure_imds
import azure_imds_api
import azure_imds_emulator
from azure_imds import EventChange, EventWatcher, ImdsClient
from azure_imds_api import models


def drain(change: EventChange, seconds: float | None) -> None: ...


def takes_one(change: EventChange) -> None: ...


def event_handlers(watcher: EventWatcher[ImdsClient]) -> None:
    watcher.on_premept(drain)  # type: ignore[attr-defined]
    watcher.on_preempt(drain)  # type: ignore[attr-defined]
    watcher.on("Preempt", drain)  # type: ignore[arg-type]
    watcher.on(drain)  # type: ignore[arg-type]
    watcher.on(["Preempt"])  # type: ignore[arg-type]
    watcher.on("Preempt")("drain")  # type: ignore[type-var]
    watcher.on("Preempt")(takes_one)  # type: ignore[type-var]


def misspelt_names() -> None:
    azure_imds.ImdsCleint()  # type: ignore[attr-defined]
    azure_imds_api.Cleint()  # type: ignore[attr-defined]
    models.Compote()  # type: ignore[attr-defined]
    azure_imds_emulator.Emulatr()  # type: ignore[attr-defined]


def instance_metadata(imds: ImdsClient) -> None:
    compute = imds.instances.get_metadata().compute
    print(compute.vmSize)  # type: ignore[attr-defined]
    compute.vmsize = "Standard_D2s_v5"  # type: ignore[attr-defined]
    compute.name = None  # type: ignore[assignment]
