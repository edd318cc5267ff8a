"""Build the documentation site into site/. If the build fails, the old site stays."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ..problem import Problem

SITE = "site"


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(arguments: argparse.Namespace) -> int:
    here = Path.cwd()
    # A folder next to the site, so that the new site can be moved.
    with tempfile.TemporaryDirectory(prefix=f".{SITE}-", dir=here) as folder:
        fresh, old = Path(folder) / "new", Path(folder) / "old"
        command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(fresh)]
        done = subprocess.run(command, cwd=here, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
        if done.returncode:
            kept = f"; {SITE}/ is unchanged" if (here / SITE).exists() else ""
            raise Problem(f"mkdocs failed{kept}")
        if (here / SITE).exists():
            (here / SITE).rename(old)
        try:
            fresh.rename(here / SITE)
        except BaseException:
            if old.exists():
                old.rename(here / SITE)
            raise
    return 0
