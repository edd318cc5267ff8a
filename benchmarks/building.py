"""What maintainers wait for: `make generate`; and the emulator, as fast as it can answer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .emulator_load import measure as load
from .ratios import Ratio, over, turns
from .server import serving

ROOT = Path(__file__).parents[1]

#: Seconds for `make generate` with its environment there; token requests a second that the emulator should serve.
GENERATE = 4.0
REQUESTS = 2000


def measure(quick: bool) -> Iterator[Ratio]:
    """Both."""
    yield from _generate(3 if quick else 7)
    with serving() as (endpoint, process):
        found = load(endpoint, process, 20_000 if quick else 100_000, 8)
    yield Ratio(
        "emulator, token requests", "2,000 a second", (found["requests_per_second"] / REQUESTS,), 1.0, least=True
    )
    growth = found["memory_after_kib"] / max(1, found["memory_before_kib"])
    yield Ratio(f"emulator, memory after {found['requests']:,} requests", "before", (growth,), 1.1)


def _generate(rounds: int) -> Iterator[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "openapi.yaml", folder)
        stock = str(Path(sys.executable).with_name("openapi-python-client"))
        options = ["generate", "--overwrite", "--meta", "none", "--path", "openapi.yaml", "--output-path", "stock"]

        def ours() -> float:
            return _seconds([sys.executable, "-m", "generator", "--root", folder], ROOT)

        def theirs() -> float:
            return _seconds([stock, *options], Path(folder))

        found = turns({"ours": ours, "stock": theirs}, rounds)
    what = "make generate: lint, generation, formatting, trial"
    yield Ratio(what, "4 seconds", tuple(spent / GENERATE for spent in found["ours"]), 1.0)
    yield Ratio(what, "openapi-python-client alone", over(found["ours"], found["stock"]))


def _seconds(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began
