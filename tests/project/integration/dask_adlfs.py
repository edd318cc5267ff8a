"""A typical program with Dask and adlfs: `python -m integration.dask_adlfs HOST CONTAINER FOLDER`.

It runs in its own process, because adlfs trusts the certificates in SSL_CERT_FILE, which aiohttp reads when it is
imported. Prints the results as JSON.
"""

from __future__ import annotations

import json
import sys

import dask.bag
import distributed
import fsspec
from integration.azurite import ACCOUNT
from integration.cluster import local_cluster

from azure_imds import AsyncImdsCredential

WORKERS = 2
PARTITIONS = 8
NUMBERS = 1000


def main(host: str, container: str, folder: str) -> None:
    credential = AsyncImdsCredential(shared_cache=f"{folder}/tokens")
    options = {"account_name": ACCOUNT, "account_host": host, "credential": credential}
    files = fsspec.filesystem("abfs", **options)
    files.mkdir(container)
    with (
        local_cluster(WORKERS, folder) as cluster,
        distributed.Client(cluster) as client,
    ):
        url = f"abfs://{container}/numbers/*.txt"
        written = dask.bag.from_sequence(map(str, range(NUMBERS)), npartitions=PARTITIONS)
        written.to_textfiles(url, storage_options=options)
        total = dask.bag.read_text(url, storage_options=options).map(int).sum().compute()
        listed = files.ls(f"{container}/numbers", detail=False)
        # Every worker lists the files, because the scheduler may have left one without work.
        lists = client.run(files.ls, f"{container}/numbers", detail=False)
    print(json.dumps({"total": total, "listed": listed, "lists": list(lists.values())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
