"""Make sdist, wheel and bill of materials in dist/, checked."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import repository
from .contents import check_sdist, check_wheel
from .privacy import private_texts, telling
from .problem import Problem
from .repository import ROOT
from .sbom import bill_of_materials


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="the folder that gets the files")


def run(arguments: argparse.Namespace) -> int:
    for file in build(ROOT, arguments.output):
        print(f"{sha256(file)}  {os.path.relpath(file)}")
    return 0


def build(root: Path, output: Path) -> list[Path]:
    """Puts wheel, source distribution and bill of materials into a folder, in that order, and nothing on failure.

    Files of earlier builds are removed from it. The same commit gives the same bytes: time stamps are the commit's.

    Raises Problem where two builds differ, a distribution holds what it should not or lacks what it should hold, or
    its metadata are not valid.
    """
    tracked = repository.tracked(root)
    when = repository.commit_time(root)
    with tempfile.TemporaryDirectory(prefix="azure-imds-build-") as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        # Once with the wheel made from the sdist, and once with both made from the checkout.
        built = _distributions(root, first, when)
        same(built, _distributions(root, second, when, "--sdist", "--wheel"))
        wheel, sdist = built
        check_wheel(wheel, root, tracked)
        check_sdist(sdist, root, tracked)
        _tool("twine", "check", "--strict", "--", str(wheel), str(sdist))
        bill = wheel.with_name(f"azure_imds-{repository.version(root)}.cdx.json")
        bill.write_text(bill_of_materials(wheel, when), encoding="utf-8")
        if telling({bill.name: bill.read_bytes()}, private_texts(root)):
            raise Problem(f"{bill.name} names a folder or a package index of this machine")

        output.mkdir(parents=True, exist_ok=True)
        for pattern in ("azure_imds-*.whl", "azure_imds-*.tar.gz", "azure_imds-*.cdx.json"):
            for old in output.glob(pattern):
                old.unlink()
        return [Path(shutil.move(file, output / file.name)) for file in (wheel, sdist, bill)]


def sha256(file: Path) -> str:
    """The digest of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _distributions(root: Path, output: Path, when: int, *options: str) -> tuple[Path, Path]:
    """The wheel and the sdist that PyPA's `build` makes of a folder. (hatchling comes pinned, from the environment.)"""
    _tool("build", "--no-isolation", "--outdir", str(output), *options, str(root), SOURCE_DATE_EPOCH=str(when))
    [wheel], [sdist] = output.glob("*.whl"), output.glob("*.tar.gz")
    return wheel, sdist


def same(one: tuple[Path, ...], other: tuple[Path, ...]) -> None:
    """Raises Problem unless files have the same bytes as others, each as the one in its place."""
    for first, second in zip(one, other, strict=True):
        if first.read_bytes() != second.read_bytes():
            raise Problem(f"{first.name} has other bytes when it is built again")


def _tool(module: str, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "NO_COLOR": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Problem(f"{module} failed:\n{done.stdout.strip()}")
