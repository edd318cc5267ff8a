"""Checks of what a wheel and a source distribution contain."""

from __future__ import annotations

import configparser
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..problem import Problem
from .privacy import find_members_with, find_private_texts

#: The packages of the wheel, each with its folder in the repository.
PACKAGES = {"azure_imds": "wrapper", "azure_imds_api": "generated", "azure_imds_emulator": "emulator"}

#: The files that hatchling adds to a wheel.
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")

#: Files that every wheel must contain, even if git does not track them.
REQUIRED = (
    *(f"{package}/py.typed" for package in PACKAGES),
    "azure_imds_api/hosts.json",
    "azure_imds_api/provenance.json",
)


def check_wheel(wheel: Path, root: Path, tracked: Iterable[str]) -> None:
    """Checks that a wheel contains the tracked files of the three packages, its metadata, and nothing else.

    Args:
        wheel: the file.
        root: the folder of pyproject.toml, which declares the entry points.
        tracked: the files that git tracks, relative to the root.

    Raises:
        Problem: the contents differ, the entry points differ, or a file contains a private text.
    """
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    folders = {f"{folder}/{package}/": f"{package}/" for package, folder in PACKAGES.items()}
    expected = {name.replace(path, short, 1) for name in tracked for path, short in folders.items()
                if name.startswith(path)}  # fmt: skip
    _check_names(wheel, members, {*expected, *REQUIRED, *(f"{info}/{name}" for name in METADATA)})

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {"console_scripts": project["scripts"], **project["entry-points"]}
    parser = configparser.ConfigParser(delimiters="=")
    parser.read_string(members[f"{info}/entry_points.txt"].decode())
    found = {group: dict(parser[group]) for group in parser.sections()}
    if found != declared:
        raise Problem(f"{wheel.name}: the entry points are {found}, but pyproject.toml declares {declared}")
    _check_privacy(wheel, members, root)


def check_sdist(sdist: Path, root: Path, tracked: Iterable[str]) -> None:
    """Checks that a source distribution contains the tracked files, PKG-INFO, and nothing else.

    Raises:
        Problem: the contents differ, or a file contains a private text.
    """
    top = sdist.name.removesuffix(".tar.gz") + "/"
    with tarfile.open(sdist) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if not member.isdir()}
        members = {name.removeprefix(top): file.read() if file else b"" for name, file in files.items()}
    _check_names(sdist, members, {*tracked, "PKG-INFO"})
    _check_privacy(sdist, members, root)


def _check_names(archive: Path, members: Iterable[str], expected: set[str]) -> None:
    found = set(members)
    if unexpected := sorted(found - expected):
        raise Problem(f"{archive.name} contains files that git does not track: {', '.join(unexpected)}")
    if missing := sorted(expected - found):
        raise Problem(f"{archive.name} lacks {', '.join(missing)}")


def _check_privacy(archive: Path, members: Mapping[str, bytes], root: Path) -> None:
    if found := find_members_with(find_private_texts(root), members):
        raise Problem(f"{archive.name} contains a folder or a package index of this machine, in: {', '.join(found)}")
