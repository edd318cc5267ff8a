"""Whole processes: from nothing to the first token, imports alone, and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

from .ratios import Ratio, least_over, over, turns
from .server import environment, serving

RESOURCE = "https://vault.azure.net"

#: What a careful person would write without a library.
BARE = f"""
import os, ssl
import attrs, httpx

@attrs.define
class Token:
    access_token: str = attrs.field(repr=False)
    expires_in: str
    token_type: str

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
with httpx.Client(trust_env=False, verify=context, base_url=os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"]) as client:
    response = client.get(
        "/metadata/identity/oauth2/token",
        params={{"resource": "{RESOURCE}", "api-version": "2018-10-01"}},
        headers={{"Metadata": "true"}},
    )
    answer = response.raise_for_status().json()
    Token(answer["access_token"], answer["expires_in"], answer["token_type"])
"""

FIRST_TOKEN = {
    "ours": f"from azure_imds import ImdsCredential\nImdsCredential().get_token('{RESOURCE}/.default')",
    "bare httpx and attrs": BARE,
    "azure-identity": f"""
from azure.identity import ManagedIdentityCredential
ManagedIdentityCredential().get_token('{RESOURCE}/.default')""",
    "msal": f"""
import msal, requests
client = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=requests.Session())
assert "access_token" in client.acquire_token_for_client(resource='{RESOURCE}')""",
    "bare http.client": f"""
import http.client, json, os
from urllib.parse import urlsplit
connection = http.client.HTTPConnection(urlsplit(os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"]).netloc)
path = "/metadata/identity/oauth2/token?api-version=2018-10-01&resource={RESOURCE}"
connection.request("GET", path, headers={{"Metadata": "true"}})
assert json.load(connection.getresponse())["access_token"]""",
}

IMPORTS = {
    "ours": "import azure_imds",
    "httpx": "import httpx",
    "msal": "import msal",
    "azure-identity": "import azure.identity",
    "nothing": "pass",
}


def measure(quick: bool) -> Iterator[Ratio]:
    """First token, imports and memory."""
    rounds = 5 if quick else 25
    with serving() as (endpoint, _):
        runs = {name: partial(_run, code, environment(endpoint)) for name, code in FIRST_TOKEN.items()}
        memory: dict[str, list[float]] = {name: [] for name in runs}

        def seconds(name: str) -> float:
            spent, kilobytes = runs[name]()
            memory[name].append(kilobytes)
            return spent

        for name in runs:
            seconds(name)  # files and byte code are in memory from here on
        found = turns({name: partial(seconds, name) for name in runs}, rounds)
    what = "cold process to first token"
    for other, limit in (("bare httpx and attrs", 1.10), ("azure-identity", 0.55), ("msal", 0.85)):
        yield Ratio(what, other, over(found["ours"], found[other]), limit)
    yield Ratio(what, "bare http.client", over(found["ours"], found["bare http.client"]))
    what = "peak memory after the first token"
    yield Ratio(what, "bare httpx and attrs", least_over(memory["ours"], memory["bare httpx and attrs"]), 1.08)
    for other in ("azure-identity", "msal"):
        yield Ratio(what, other, least_over(memory["ours"], memory[other]))
    starts = {name: partial(_run_seconds, code) for name, code in IMPORTS.items()}
    found = turns(starts, rounds)
    bare = found["nothing"]
    alone = {name: [max(0.0001, a - b) for a, b in zip(spent, bare, strict=True)] for name, spent in found.items()}
    yield Ratio("import azure_imds", "import httpx", over(alone["ours"], alone["httpx"]), 0.35)
    for other in ("azure-identity", "msal"):
        yield Ratio("import azure_imds", f"import {other}", over(alone["ours"], alone[other]))


def _run(code: str, variables: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak KiB of one process."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], env=variables)
    _, status, usage = os.wait4(process.pid, 0)
    spent = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"a benchmark's program failed:\n{code}")
    return spent, usage.ru_maxrss


def _run_seconds(code: str) -> float:
    return _run(code, dict(os.environ))[0]
