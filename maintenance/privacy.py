"""What only the machine of the build knows, and a release must not tell: its folders and its package indexes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

#: Options of pip that name an index, as `pip config list` has them.
_PIP_OPTION = re.compile(r"^\S+\.(?:extra-index-url|find-links|index-url)='(.*)'$", re.MULTILINE)
_UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL")

#: Hosts that everybody knows, and ordinary text names.
_PUBLIC = {"pypi.org", "test.pypi.org", "localhost", "127.0.0.1", "::1"}


def private_texts(root: Path) -> set[str]:
    """Folders and indexes of this machine, as they would stand in a file.

    Args:
        root: the folder that is built.
    """
    return {*_folders(root), *_indexes(_configured())}


def telling(members: Mapping[str, bytes], private: Iterable[str]) -> list[str]:
    """The names of those members that hold one of the texts. (Not which: that would tell it in turn.)"""
    texts = [text.encode() for text in private]
    return sorted(name for name, content in members.items() if any(text in content for text in texts))


def _folders(root: Path) -> set[str]:
    folders = {root.resolve(), Path(sys.prefix).resolve(), Path.home()}
    # A single word such as /app stands in ordinary text too.
    return {str(folder) for folder in folders if len(folder.parts) > 2}


def _configured() -> str:
    pip = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    return " ".join([*_PIP_OPTION.findall(pip.stdout), *(os.environ.get(name, "") for name in _UV_VARIABLES)])


def _indexes(urls: str) -> Iterator[str]:
    """Host, or folder, of each of some URLs."""
    for url in urls.split():
        # uv's may have a name: name=https://...
        parts = urlsplit(re.sub(r"^[\w-]+=", "", url))
        host = parts.hostname
        if host is None:
            yield from {parts.path} - {"", "/"}
        elif host not in _PUBLIC:
            # A host without a domain is called like an ordinary word.
            yield host if "." in host else f"//{host}"
