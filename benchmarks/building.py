"""Code generation: how long `make generate` takes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path

from .ratios import Ratio, over, turns

ROOT = Path(__file__).parents[1]

#: Target for `make generate` in an existing environment, in seconds.
GENERATE = 4.0


def measure(quick: bool) -> Iterator[Ratio]:
    """Generates in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "openapi.yaml", folder)
        stock = str(Path(sys.executable).with_name("openapi-python-client"))
        options = ["generate", "--overwrite", "--meta", "none", "--path", "openapi.yaml", "--output-path", "stock"]

        def ours() -> float:
            return _seconds([sys.executable, "-m", "generator", "--root", folder], ROOT)

        def theirs() -> float:
            return _seconds([stock, *options], Path(folder))

        found = turns({"ours": ours, "stock": theirs}, 3 if quick else 7)
    what = "make generate: lint, generation, formatting, trial"
    reason = "A fixed time depends on the machine and on the other work that it does."
    yield Ratio(what, "4 seconds", tuple(spent / GENERATE for spent in found["ours"]), 1.0, margin=inf, reason=reason)
    yield Ratio(what, "openapi-python-client alone", over(found["ours"], found["stock"]))


def _seconds(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began
