"""Whole processes: time to the first token, imports alone, and memory."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .instructions import instructions_of
from .ratios import Ratio, over, turns
from .server import environment, serving

ROOT = Path(__file__).parents[1]

RESOURCE = "https://vault.azure.net"

_BARE_START = """
import asyncio, os, ssl
import attrs, httpx

@attrs.define
class Token:
    access_token: str = attrs.field(repr=False)
    expires_in: str
    token_type: str

settings = {
    "trust_env": False,
    "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    "base_url": os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"],
}
"""
_BARE_CALL = f"""
        response = client.get(
            "/metadata/identity/oauth2/token",
            params={{"resource": "{RESOURCE}", "api-version": "2018-10-01"}},
            headers={{"Metadata": "true"}},
        )
        answer = response.raise_for_status().json()
        Token(answer["access_token"], answer["expires_in"], answer["token_type"])
"""

#: Careful handwritten programs without a library, and their asynchronous twins.
BARE = f"""{_BARE_START.replace("asyncio, ", "")}
def main():
    with httpx.Client(**settings) as client:{_BARE_CALL}
main()
"""
ASYNC_BARE = f"""{_BARE_START}
async def main():
    async with httpx.AsyncClient(**settings) as client:{_BARE_CALL.replace("client.get", "await client.get")}
asyncio.run(main())
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
    "http.client": f"""
import http.client, json, os
from urllib.parse import urlsplit
connection = http.client.HTTPConnection(urlsplit(os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"]).netloc)
path = "/metadata/identity/oauth2/token?api-version=2018-10-01&resource={RESOURCE}"
connection.request("GET", path, headers={{"Metadata": "true"}})
assert json.load(connection.getresponse())["access_token"]""",
    "ours, async": f"""
import asyncio
from azure_imds import AsyncImdsCredential

async def main():
    async with AsyncImdsCredential() as credential:
        await credential.get_token('{RESOURCE}/.default')

asyncio.run(main())""",
    "bare httpx.AsyncClient and attrs": ASYNC_BARE,
}

COLD = "cold process to first token"
#: What is compared with what, and the targets.
COMPARISONS = (
    (COLD, "ours", "bare httpx and attrs", 0.97),
    (COLD, "ours", "azure-identity", 0.55),
    (COLD, "ours", "msal", 0.90),
    (COLD, "ours", "http.client", None),
    (f"{COLD}, async", "ours, async", "bare httpx.AsyncClient and attrs", 1.0),
)
#: Why these comparisons can miss their targets by a few percent.
CLOSE = (
    "These programs spend most of their time on starting Python, importing httpx (or requests) and attrs, and garbage "
    "collection at exit. Other work on the machine changes the times by more than the difference to the "
    "target. The instruction counts show the difference without this noise."
)

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
    """Measures the time and the instructions to the first token, imports and memory."""
    rounds = 7 if quick else 40
    python = _environment()
    with serving() as (endpoint, _):
        run = partial(_run, python, environment(endpoint))
        found = _taking_turns({name: partial(run, code) for name, code in FIRST_TOKEN.items()}, rounds)
        memory = {name: [float(run(code + PEAK)[1]) for _ in range(3)] for name, code in FIRST_TOKEN.items()}
        counted = instructions_of(python, FIRST_TOKEN, environment(endpoint))
    for what, ours, other, limit in COMPARISONS:
        yield Ratio(what, other, over(found[ours], found[other]), limit, reason=CLOSE)
    if not counted:
        print("      instructions: not counted, since neither perf stat nor valgrind works here", flush=True)
    for what, ours, other, limit in COMPARISONS if counted else ():
        rounds_of_one = (counted[ours] / counted[other],)
        yield Ratio(f"{what}: instructions", other, rounds_of_one, limit, margin=1.03, reason=CLOSE)
    what = "peak memory after the first token"
    for other, most in (("bare httpx and attrs", 1.0), ("azure-identity", None), ("msal", None)):
        yield Ratio(what, other, over(memory["ours"], memory[other]), most, margin=1.05)
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
