"""A Dask cluster whose workers are processes on this machine, reachable on loopback only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integration import parts

distributed = parts.module("distributed")

#: Any free port on loopback. The default is a fixed port on every interface.
_LOOPBACK = "127.0.0.1:0"


def local_cluster(workers: int, folder: str | Path, **options: Any) -> Any:
    """Returns a cluster: a scheduler in this process, and workers in their own processes, with two threads each."""
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=2,
        processes=True,
        host="127.0.0.1",
        dashboard_address=_LOOPBACK,
        worker_dashboard_address=_LOOPBACK,
        local_directory=str(folder),
        **options,
    )
