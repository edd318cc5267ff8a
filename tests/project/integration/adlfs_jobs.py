"""Two jobs in one process, each with its own credential: `python -m integration.adlfs_jobs HOST CONTAINER`.

fsspec keeps a file system for all credentials with the same text. So the second job gets that of the first one, whose
credential is closed. Prints what happened as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys

import fsspec
from integration.azurite import ACCOUNT

from azure_imds import AsyncImdsCredential


def job(host: str, path: str, number: int) -> tuple[int, int, str]:
    """Adds a file, and closes its credential. Returns which file system and credential it used, and what it read."""
    credential = AsyncImdsCredential()
    options = {"account_name": ACCOUNT, "account_host": host, "credential": credential}
    files = fsspec.filesystem("abfs", **options)
    if number == 0:
        files.mkdir(path)
    files.pipe(f"{path}/{number}.txt", b"%d" % number)
    files.invalidate_cache()
    texts = [files.cat(name).decode() for name in sorted(files.ls(path, detail=False))]
    asyncio.run(credential.close())
    files.credential.clear()  # as if its token had expired
    return id(files), id(files.credential), "+".join(texts)


def main(host: str, container: str) -> None:
    jobs = [job(host, container, number) for number in range(3)]
    systems, credentials, texts = zip(*jobs, strict=True)
    print(json.dumps({"systems": len({*systems}), "credentials": len({*credentials}), "texts": texts}))


if __name__ == "__main__":
    main(*sys.argv[1:])
