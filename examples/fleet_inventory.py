"""List the machines of a Dask cluster: each worker reads the metadata of the machine it runs on.

Workers on the same machine share one row. Workers without IMDS are listed with the reason. azure-imds must be installed
on the workers too.

    python fleet_inventory.py tcp://scheduler:8786 --format csv > fleet.csv

With the emulator, in four terminals:

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

#: The columns of the inventory, each with its attribute of `compute`.
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
    """Runs on a worker. Returns the metadata of its machine, or the reason why it is not available."""
    try:
        with ImdsClient(deadline=seconds) as imds:
            compute = imds.instances.get_metadata().compute
    except ImdsUnavailableError as error:
        return {"problem": f"no IMDS: {error}"}
    except ImdsError as error:
        return {"problem": str(error)}
    return {column: getattr(compute, member, None) or "" for column, member in COLUMNS.items()}


def merge_rows(answers: Mapping[str, Row | BaseException]) -> list[Row]:
    """Returns one row per machine with the addresses of its workers, then one row per worker without metadata."""
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
    parser = argparse.ArgumentParser(description="List the Azure machines of a Dask cluster.")
    parser.add_argument("scheduler", help="address of the scheduler, such as tcp://127.0.0.1:8786")
    parser.add_argument(
        "--format", choices=["table", "csv", "json"], default="table", help="output format (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit per worker (default: %(default)s)")
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
    write(merge_rows(answers), options.format)
    return 0


if __name__ == "__main__":
    sys.exit(main())
