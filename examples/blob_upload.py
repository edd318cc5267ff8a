"""Upload a file to Azure Storage as the machine that this runs on: no key, no connection string.

The machine's identity needs the role "Storage Blob Data Contributor" on the container. Then

    pip install azure-imds azure-storage-blob
    python blob_upload.py https://<account>.blob.core.windows.net backups report.pdf

Elsewhere, the emulator gives the token and Azurite is the storage. Azurite takes tokens only over https, so it needs a
certificate, which REQUESTS_CA_BUNDLE makes this program trust:

    azure-imds emulator --port 8169
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=127.0.0.1 \
        -addext subjectAltName=IP:127.0.0.1
    azurite-blob --oauth basic --cert cert.pem --key key.pem --skipApiVersionCheck
    export AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:8169 REQUESTS_CA_BUNDLE=cert.pem
    python blob_upload.py --create https://127.0.0.1:10000/devstoreaccount1 backups report.pdf
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob import ContainerClient

from azure_imds import ImdsCredential, ImdsError


def main() -> int:
    parser = argparse.ArgumentParser(description="Uploads a file to Azure Storage with the machine's identity.")
    parser.add_argument("account", metavar="URL", help="the account's blob service")
    parser.add_argument("container")
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", help="of the blob; default: the file's")
    parser.add_argument("--client-id", help="of a user-assigned identity; default: the machine's own")
    parser.add_argument("--create", action="store_true", help="make the container if it is missing")
    parser.add_argument("--overwrite", action="store_true", help="replace a blob of that name")
    options = parser.parse_args()
    name = options.name or options.file.name
    try:
        with (
            options.file.open("rb") as data,
            ImdsCredential(client_id=options.client_id) as credential,
            ContainerClient(options.account, options.container, credential) as container,
        ):
            if options.create:
                with suppress(ResourceExistsError):
                    container.create_container()
            blob = container.upload_blob(name, data, overwrite=options.overwrite, max_concurrency=4)
            size = blob.get_blob_properties().size
    except ImdsError as error:
        print(f"no token: {error}", file=sys.stderr)
        return 1
    except (AzureError, OSError) as error:
        print(str(error).partition("\n")[0], file=sys.stderr)  # the rest is the answer's XML
        return 1
    print(f"{blob.url}: {size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
