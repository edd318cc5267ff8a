"""Dask's workers as processes of this machine that nobody else can reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from integration import parts

distributed = parts.module("distributed")

#: Any free port: the default is one and the same for all, and on every interface.
_LOOPBACK = "127.0.0.1:0"


def local_cluster(workers: int, folder: str | Path, **options: Any) -> Any:
    """A scheduler in this process and so many workers in processes of their own, with two threads each."""
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
