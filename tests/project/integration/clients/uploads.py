"""A blob that a library for Azure Storage writes and reads: `uploads.py LIBRARY ACCOUNT CONTAINER TEXT`.

Uses each library as its users do, without settings. Prints the text that it read.
"""

from __future__ import annotations

import sys


def copy_with_adlfs(account: str, container: str, text: str) -> str:
    import adlfs

    files = adlfs.AzureBlobFileSystem(account_name=account, anon=False)
    files.pipe(f"{container}/adlfs.txt", text.encode())
    return str(files.cat(f"{container}/adlfs.txt").decode())


def copy_with_obstore(account: str, container: str, text: str) -> str:
    from obstore.store import AzureStore

    store = AzureStore(container, account_name=account)
    store.put("obstore.txt", text.encode())
    return bytes(store.get("obstore.txt").bytes()).decode()


LIBRARIES = {"adlfs": copy_with_adlfs, "obstore": copy_with_obstore}

if __name__ == "__main__":
    print(LIBRARIES[sys.argv[1]](*sys.argv[2:]))
