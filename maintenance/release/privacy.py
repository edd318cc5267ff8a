"""Texts that a release must not contain: folders and package indexes of the machine that builds it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

#: The pip options that contain the URL of an index, as `pip config list` prints them.
_PIP_OPTION = re.compile(r"^\S+\.(?:extra-index-url|find-links|index-url)='(.*)'$", re.MULTILINE)
_UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_URL")

#: Hosts that are not private, and that ordinary files mention.
_PUBLIC = {"pypi.org", "test.pypi.org", "localhost", "127.0.0.1", "::1"}


def find_private_texts(root: Path) -> set[str]:
    """Returns the folders and index hosts of this machine, as they would appear in a file.

    Args:
        root: the checkout that is built.
    """
    return {*_list_folders(root), *_extract_hosts(_read_index_settings())}


def find_members_with(texts: Iterable[str], members: Mapping[str, bytes]) -> list[str]:
    """Returns the names of the members that contain one of the texts. It does not return the private text itself."""
    encoded = [text.encode() for text in texts]
    return sorted(name for name, content in members.items() if any(text in content for text in encoded))


def _list_folders(root: Path) -> set[str]:
    folders = {root.resolve(), Path(sys.prefix).resolve(), Path.home()}
    # A folder at the top level, such as /app, also appears in ordinary text.
    return {str(folder) for folder in folders if len(folder.parts) > 2}


def _read_index_settings() -> str:
    """Returns the index URLs that pip and uv are configured with, separated by spaces."""
    pip = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    return " ".join([*_PIP_OPTION.findall(pip.stdout), *(os.environ.get(name, "") for name in _UV_VARIABLES)])


def _extract_hosts(urls: str) -> Iterator[str]:
    """Yields the host of each URL, or its folder if the URL is a path."""
    for url in urls.split():
        # uv accepts a name before the URL: name=https://...
        parts = urlsplit(re.sub(r"^[\w-]+=", "", url))
        host = parts.hostname
        if host is None:
            yield from {parts.path} - {"", "/"}
        elif host not in _PUBLIC:
            # A host without a domain, such as "mirror", is also an ordinary word.
            yield host if "." in host else f"//{host}"
