"""Whole processes: time to the first token, imports alone, and memory."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .ratios import Ratio, over, turns
from .server import environment, serving

ROOT = Path(__file__).parents[1]

RESOURCE = "https://vault.azure.net"

#: A careful handwritten program without a library.
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


#: Appended to a program, this prints the peak memory of the process in KiB.
PEAK = """
import re
print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])"""


def measure(quick: bool) -> Iterator[Ratio]:
    """Measures the time to the first token, imports and memory."""
    rounds = 7 if quick else 40
    python = _environment()
    with serving() as (endpoint, _):
        run = partial(_run, python, environment(endpoint))
        found = _taking_turns({name: partial(run, code) for name, code in FIRST_TOKEN.items()}, rounds)
        memory = {name: [float(run(code + PEAK)[1]) for _ in range(3)] for name, code in FIRST_TOKEN.items()}
    what = "cold process to first token"
    for other, limit in (("bare httpx and attrs", 1.10), ("azure-identity", 0.55), ("msal", 0.85)):
        yield Ratio(what, other, over(found["ours"], found[other]), limit)
    yield Ratio(what, "bare http.client", over(found["ours"], found["bare http.client"]))
    what = "peak memory after the first token"
    for other, most in (("bare httpx and attrs", 1.08), ("azure-identity", None), ("msal", None)):
        yield Ratio(what, other, over(memory["ours"], memory[other]), most)
    starts = _taking_turns({name: partial(run, code) for name, code in IMPORTS.items()}, rounds)
    # The time of an empty program is not part of an import.
    alone = {
        name: [max(1e-4, spent - nothing) for spent, nothing in zip(spents, starts["nothing"], strict=True)]
        for name, spents in starts.items()
    }
    for other, most in (("httpx", 0.35), ("azure-identity", None), ("msal", None)):
        yield Ratio("import azure_imds", f"import {other}", over(alone["ours"], alone[other]), most)


def _taking_turns(programs: dict[str, Callable[[], tuple[float, str]]], rounds: int) -> dict[str, list[float]]:
    for program in programs.values():
        program()  # from now on, files and bytecode are cached
    return turns({name: partial(_seconds, program) for name, program in programs.items()}, rounds)


def _seconds(program: Callable[[], tuple[float, str]]) -> float:
    return program()[0]


def _run(python: str, variables: dict[str, str], code: str) -> tuple[float, str]:
    """Runs one process and returns its seconds and its output."""
    began = time.perf_counter()
    done = subprocess.run([python, "-c", code], env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - began, done.stdout


def _environment() -> str:
    """Creates an environment with this package and the compared libraries only, and returns its Python.

    In the development environment, httpx also imports click and rich, and httpcore imports trio. Programs that use
    them would take a third longer.
    """
    folder = ROOT / ".tools" / "benchmarks"
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "--quiet"]
    if not python.exists():
        subprocess.run([*uv, "venv", "--python", sys.executable, str(folder)], check=True)
    pins = [
        f"{name}=={importlib.metadata.version(name)}"
        for name in ("httpx", "attrs", "azure-identity", "azure-core", "msal", "requests")
    ]
    subprocess.run([*uv, "pip", "install", "--python", str(python), *pins], check=True)
    (site,) = folder.glob("lib/python3.*/site-packages")
    (site / "azure_imds.pth").write_text(f"{ROOT / 'wrapper'}\n{ROOT / 'generated'}\n", encoding="utf-8")
    return str(python)
