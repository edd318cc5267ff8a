"""The IMDS code of the agents in Debian: `python3 agents.py {cloudinit,azurelinuxagent}`.

Runs with Debian's Python. PYTHONPATH is the folder of the packages. Prints what the agent read as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def read_with_cloud_init() -> dict[str, Any]:
    from cloudinit.helpers import Paths
    from cloudinit.sources import DataSourceAzure

    settings = {}
    try:
        from cloudinit.sources.azure.imds import fetch_metadata_with_api_fallback
    except ImportError:  # before cloud-init 23
        source = DataSourceAzure.DataSourceAzure({}, None, Paths({}))
        document = source.get_imds_data_with_api_fallback(retries=0)
    else:
        document = fetch_metadata_with_api_fallback(time.monotonic() + 60)
        settings = {"apply_network_config_for_secondary_ips": True, "apply_network_config_set_name": True}
    make_config = DataSourceAzure.generate_network_config_from_instance_network_metadata
    network = make_config(document["network"], **settings)
    return {"hostname": document["compute"]["osProfile"]["computerName"], "network": network}


def read_with_walinuxagent() -> dict[str, Any]:
    from azurelinuxagent.common.exception import HttpError
    from azurelinuxagent.common.protocol.imds import ImdsClient

    # The address of the wire server, which is asked if nothing listens at the address of IMDS.
    client = ImdsClient("127.0.0.1")
    healthy, message = client.validate()
    try:
        image = client.get_compute().publisher
    except HttpError:
        image = None
    return {"healthy": healthy, "message": message, "image": image}


AGENTS = {"cloudinit": read_with_cloud_init, "azurelinuxagent": read_with_walinuxagent}

if __name__ == "__main__":
    print(json.dumps(AGENTS[sys.argv[1]]()))
