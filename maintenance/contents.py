"""What a wheel and a source distribution must hold, and may not."""

from __future__ import annotations

import configparser
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from .privacy import private_texts, telling
from .problem import Problem

#: Folder of each package in the repository, which is where its wheel's files come from.
PACKAGES = {"azure_imds": "wrapper", "azure_imds_api": "generated", "azure_imds_emulator": "emulator"}

#: What hatchling writes beside them.
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")

#: Without these a wheel is of no use, whatever git tracks.
VITAL = (*(f"{package}/py.typed" for package in PACKAGES), "azure_imds_api/provenance.json")


def check_wheel(wheel: Path, root: Path, tracked: Iterable[str]) -> None:
    """Raises Problem unless a wheel holds the three packages as git tracks them, its metadata, and nothing else.

    Args:
        root: where pyproject.toml is, which says the entry points.
        tracked: the files that git tracks, relative to the root.
    """
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    folders = {f"{folder}/{package}/": f"{package}/" for package, folder in PACKAGES.items()}
    wanted = {name.replace(path, short, 1) for name in tracked for path, short in folders.items()
              if name.startswith(path)}  # fmt: skip
    _compare(wheel, members, {*wanted, *VITAL, *(f"{info}/{name}" for name in METADATA)})

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = {"console_scripts": project["scripts"], **project["entry-points"]}
    written = configparser.ConfigParser(delimiters="=")
    written.read_string(members[f"{info}/entry_points.txt"].decode())
    found = {group: dict(written[group]) for group in written.sections()}
    if found != said:
        raise Problem(f"{wheel.name}: entry points are {found}, and pyproject.toml says {said}")
    _check_privacy(wheel, members, root)


def check_sdist(sdist: Path, root: Path, tracked: Iterable[str]) -> None:
    """Raises Problem unless a source distribution holds what git tracks, PKG-INFO, and nothing else."""
    top = sdist.name.removesuffix(".tar.gz") + "/"
    with tarfile.open(sdist) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if not member.isdir()}
        members = {name.removeprefix(top): file.read() if file else b"" for name, file in files.items()}
    _compare(sdist, members, {*tracked, "PKG-INFO"})
    _check_privacy(sdist, members, root)


def _compare(archive: Path, members: Iterable[str], wanted: set[str]) -> None:
    found = set(members)
    if strays := sorted(found - wanted):
        raise Problem(f"{archive.name} holds what git does not track: {', '.join(strays)}")
    if missing := sorted(wanted - found):
        raise Problem(f"{archive.name} lacks {', '.join(missing)}")


def _check_privacy(archive: Path, members: Mapping[str, bytes], root: Path) -> None:
    if found := telling(members, private_texts(root)):
        raise Problem(f"{archive.name} names a folder or a package index of this machine: {', '.join(found)}")
