"""The package index that a release goes to: what its URL means, and what it holds."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from packaging.version import Version
from pypi_simple import ACCEPT_ANY, ProjectPage
from pypi_simple.errors import UnsupportedContentTypeError, UnsupportedRepoVersionError

from .problem import Problem

PROJECT = "azure-imds"

#: Seconds for each answer.
TIMEOUT = 30


@dataclass(frozen=True)
class Credentials:
    """A user's name and password, or `__token__` and a token."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(frozen=True)
class Index:
    """Where to upload to, and where installers look (the Simple API), each with a slash at its end."""

    upload: str
    simple: str


def index(url: str) -> Index:
    """The index at a URL: its root, its Simple API, or where it takes uploads.

    Raises Problem for a URL that is none, that holds a password, or over which a password would travel in the clear.
    """
    if not url.strip():
        raise Problem("where to? Say make publish INDEX_URL=https://...")
    parts = urlsplit(url)
    # Before anything that would show the URL.
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Problem(
            "INDEX_URL may hold no user name, password or query: they would end in logs. "
            "Set TWINE_USERNAME and TWINE_PASSWORD, or use keyring"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Problem(f"INDEX_URL is no URL of a package index: {url}")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise Problem(f"INDEX_URL must begin with https://, or the password would travel in the clear: {url}")
    return _index(parts)


def _index(parts: SplitResult) -> Index:
    # The two whose addresses for uploads and for installers do not lie in one another.
    if parts.hostname in ("pypi.org", "upload.pypi.org"):
        return Index("https://upload.pypi.org/legacy/", "https://pypi.org/simple/")
    if parts.hostname == "test.pypi.org":
        return Index("https://test.pypi.org/legacy/", "https://test.pypi.org/simple/")
    root = parts.geturl().rstrip("/")
    if feed := re.fullmatch(r"(.+/_packaging/[^/]+/pypi)/(?:simple|upload)", root):
        return Index(f"{feed[1]}/upload/", f"{feed[1]}/simple/")
    # devpi calls it +simple.
    if simple := re.fullmatch(r"(.+)/\+?simple", root):
        return Index(f"{simple[1]}/", f"{root}/")
    return Index(f"{root}/", f"{root}/simple/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def released(simple: str, version: str, credentials: Credentials | None = None) -> bool:
    """Whether an index has files of a version of this project.

    Args:
        simple: the URL of its Simple API, with a slash at its end.
        credentials: for an index that lets nobody read without.

    Raises Problem where the index cannot be asked.
    """
    url = urljoin(simple, f"{PROJECT}/")
    try:
        answer = _get(url)
        if answer.status_code in (401, 403) and credentials:
            answer = _get(url, credentials)
        # Some send those who ask for what they do not have to PyPI.
        if answer.status_code == 404 or answer.is_redirect:
            return False
        answer.raise_for_status()
        page = ProjectPage.from_response(answer, PROJECT)
    except (requests.RequestException, UnsupportedContentTypeError, UnsupportedRepoVersionError, ValueError) as error:
        raise Problem(f"{simple} cannot be asked whether it has {PROJECT} {version}: {error}") from None
    return any(package.version and Version(package.version) == Version(version) for package in page.packages)


def _get(url: str, credentials: Credentials | None = None) -> requests.Response:
    """An answer of the host that was asked; one that leads to another host as it is."""
    auth = (credentials.username, credentials.password) if credentials else None
    with requests.Session() as session:
        for _ in range(5):
            answer = session.get(url, headers={"Accept": ACCEPT_ANY}, auth=auth, allow_redirects=False, timeout=TIMEOUT)
            target = urljoin(url, answer.headers.get("Location", ""))
            if not answer.is_redirect or urlsplit(target)[:2] != urlsplit(url)[:2]:
                return answer
            url = target
    raise requests.TooManyRedirects(f"too many redirects from {url}")
