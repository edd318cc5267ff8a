"""Build the sdist, the wheel and the bill of materials into dist/, and check them."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..problem import Problem
from ..progress import show_step
from ..repository import ROOT, list_tracked, read_commit_time, read_version
from .contents import check_sdist, check_wheel
from .privacy import find_members_with, find_private_texts
from .sbom import make_bill_of_materials


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="the folder for the files (default: dist)")


def run(arguments: argparse.Namespace) -> int:
    for file in build(ROOT, arguments.output):
        print(f"{compute_sha256(file)}  {os.path.relpath(file)}")
    return 0


def build(root: Path, output: Path) -> list[Path]:
    """Builds and checks the distributions, and moves them into a folder. On failure the folder stays as it was.

    The build is reproducible: the same commit gives the same bytes, because all time stamps are the commit's.

    Args:
        root: the checkout.
        output: the folder. Files of earlier builds are deleted from it.

    Returns:
        The wheel, the source distribution and the bill of materials, in this order.

    Raises:
        Problem: two builds differ, a distribution has wrong contents, or its metadata is invalid.
    """
    tracked = list_tracked(root)
    when = read_commit_time(root)
    with tempfile.TemporaryDirectory(prefix="azure-imds-build-") as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        # The first build makes the wheel from the sdist. The second build makes both from the checkout.
        show_step("Building the source distribution and the wheel, each twice")
        built = _build_distributions(root, first, when)
        check_same_bytes(built, _build_distributions(root, second, when, "--sdist", "--wheel"))
        wheel, sdist = built
        check_wheel(wheel, root, tracked)
        check_sdist(sdist, root, tracked)
        _run_tool("twine", "check", "--strict", "--", str(wheel), str(sdist))
        bill = wheel.with_name(f"azure_imds-{read_version(root)}.cdx.json")
        bill.write_text(make_bill_of_materials(wheel, when), encoding="utf-8")
        if find_members_with(find_private_texts(root), {bill.name: bill.read_bytes()}):
            raise Problem(f"{bill.name} contains a folder or a package index of this machine")

        output.mkdir(parents=True, exist_ok=True)
        for pattern in ("azure_imds-*.whl", "azure_imds-*.tar.gz", "azure_imds-*.cdx.json"):
            for old in output.glob(pattern):
                old.unlink()
        return [Path(shutil.move(file, output / file.name)) for file in (wheel, sdist, bill)]


def compute_sha256(file: Path) -> str:
    """Returns the SHA-256 digest of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def check_same_bytes(first: tuple[Path, ...], second: tuple[Path, ...]) -> None:
    """Compares the files of two builds, each with the file at the same position.

    Raises:
        Problem: two files differ.
    """
    for one, other in zip(first, second, strict=True):
        if one.read_bytes() != other.read_bytes():
            raise Problem(f"{one.name} differs between two builds of the same commit")


def _build_distributions(root: Path, output: Path, when: int, *options: str) -> tuple[Path, Path]:
    """Runs PyPA's `build`, with the pinned hatchling of this environment. Returns the wheel and the sdist."""
    _run_tool("build", "--no-isolation", "--outdir", str(output), *options, str(root), SOURCE_DATE_EPOCH=str(when))
    [wheel], [sdist] = output.glob("*.whl"), output.glob("*.tar.gz")
    return wheel, sdist


def _run_tool(module: str, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "NO_COLOR": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise Problem(f"{module} failed:\n{done.stdout.strip()}")
