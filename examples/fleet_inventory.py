"""An inventory of the machines of a Dask cluster: each worker asks the IMDS of the machine it runs on.

Workers that share a machine give one row. Those that have no IMDS, or cannot use it, are listed with the reason. The
workers need azure-imds too.

    python fleet_inventory.py tcp://scheduler:8786 --format csv > fleet.csv

With the emulator, from four terminals:

    pip install 'azure-imds[emulator]' distributed
    azure-imds emulator --port 8169
    dask scheduler --host 127.0.0.1
    AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:8169 dask worker tcp://127.0.0.1:8786
    python fleet_inventory.py tcp://127.0.0.1:8786
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping, Sequence

from distributed import Client

from azure_imds import ImdsClient, ImdsError, ImdsUnavailableError

#: What is told of a machine: a column, and the member of `compute` that goes there.
COLUMNS = {
    "name": "name",
    "size": "vm_size",
    "location": "location",
    "zone": "zone",
    "os": "os_type",
    "resource_group": "resource_group_name",
    "subscription": "subscription_id",
    "vm_id": "vm_id",
}

Row = dict[str, str]


def describe(seconds: float) -> Row:
    """Runs on the worker: what its machine is, or why that cannot be known."""
    try:
        with ImdsClient(deadline=seconds) as imds:
            compute = imds.instances.get_metadata().compute
    except ImdsUnavailableError as error:
        return {"problem": f"no IMDS: {error}"}
    except ImdsError as error:
        return {"problem": str(error)}
    return {column: getattr(compute, member, None) or "" for column, member in COLUMNS.items()}


def machines(answers: Mapping[str, Row | BaseException]) -> list[Row]:
    """One row for each machine, with the addresses of its workers; below them, a row for each worker without one."""
    found: dict[str, Row] = {}
    for worker, answer in sorted(answers.items()):
        row = {"problem": str(answer)} if isinstance(answer, BaseException) else answer
        known = found.setdefault(row.get("vm_id") or worker, dict.fromkeys((*COLUMNS, "workers", "problem"), "") | row)
        known["workers"] = f"{known['workers']} {worker}".strip()
    return sorted(found.values(), key=lambda row: (row["problem"] != "", row["name"], row["workers"]))


def write(rows: Sequence[Row], form: str) -> None:
    if form == "json":
        json.dump(rows, sys.stdout, indent=2)
        print()
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description="Lists the Azure machines that a Dask cluster's workers run on.")
    parser.add_argument("scheduler", help="its address, such as tcp://127.0.0.1:8786")
    parser.add_argument("--format", choices=["table", "csv", "json"], default="table", help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="that a worker may ask its IMDS (%(default)s)")
    options = parser.parse_args()
    try:
        with Client(options.scheduler) as client:  # type: ignore[no-untyped-call]
            answers = client.run(describe, options.seconds, on_error="return")
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    if not answers:
        print("The cluster has no workers.", file=sys.stderr)
        return 1
    write(machines(answers), options.format)
    return 0


if __name__ == "__main__":
    sys.exit(main())
