"""Upload a file to Azure Storage with the managed identity of this machine, without a key or connection string.

The identity needs the role "Storage Blob Data Contributor" on the container. Then run:

    pip install azure-imds azure-storage-blob
    python blob_upload.py https://<account>.blob.core.windows.net backups report.pdf

Outside Azure, use the emulator for the token and Azurite for the storage. Azurite accepts tokens only over https, so it
needs a certificate. REQUESTS_CA_BUNDLE makes this program trust it:

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
    parser = argparse.ArgumentParser(
        description="Upload a file to Azure Storage with the managed identity of this machine."
    )
    parser.add_argument("account", metavar="URL", help="URL of the account's blob service")
    parser.add_argument("container")
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", help="name of the blob (default: name of the file)")
    parser.add_argument(
        "--client-id", help="client id of a user-assigned identity (default: the machine's default identity)"
    )
    parser.add_argument("--create", action="store_true", help="create the container if it does not exist")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing blob")
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
        print(str(error).partition("\n")[0], file=sys.stderr)  # the other lines are the XML of the response
        return 1
    print(f"{blob.url}: {size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
