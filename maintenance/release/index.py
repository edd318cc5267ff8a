"""The package index of a release: its addresses, and the versions that it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from packaging.version import Version
from pypi_simple import ACCEPT_ANY, ProjectPage
from pypi_simple.errors import UnsupportedContentTypeError, UnsupportedRepoVersionError

from ..problem import Problem
from ..repository import is_loopback

PROJECT = "azure-imds"

#: The timeout of one request, in seconds.
TIMEOUT = 30


@dataclass(frozen=True)
class Credentials:
    """A user name and password, or `__token__` and a token. The repr hides both."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(...)"


@dataclass(frozen=True)
class Index:
    """The addresses of a package index. Each ends with a slash.

    Attributes:
        upload: where files are uploaded to.
        simple: the Simple API, where installers look for files.
    """

    upload: str
    simple: str


def parse_index_url(url: str) -> Index:
    """Returns the addresses of an index.

    Args:
        url: the root of the index, its Simple API or its upload address.

    Raises:
        Problem: the URL is invalid, contains a password, or would send the password unencrypted.
    """
    if not url.strip():
        raise Problem("INDEX_URL is missing: run make publish INDEX_URL=https://...")
    parts = urlsplit(url)
    # This check comes first: the messages below contain the URL.
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Problem(
            "INDEX_URL must not contain a user name, a password or a query, because logs would show it. "
            "Set TWINE_USERNAME and TWINE_PASSWORD, or use keyring"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Problem(f"INDEX_URL must be an http or https URL, but is {url}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Problem(f"INDEX_URL must start with https://, because http would send the password unencrypted: {url}")
    return _find_addresses(parts)


def _find_addresses(parts: SplitResult) -> Index:
    # PyPI and TestPyPI: the upload address has another host or path than the Simple API.
    if parts.hostname in ("pypi.org", "upload.pypi.org"):
        return Index("https://upload.pypi.org/legacy/", "https://pypi.org/simple/")
    if parts.hostname == "test.pypi.org":
        return Index("https://test.pypi.org/legacy/", "https://test.pypi.org/simple/")
    root = parts.geturl().rstrip("/")
    # Azure Artifacts.
    if feed := re.fullmatch(r"(.+/_packaging/[^/]+/pypi)/(?:simple|upload)", root):
        return Index(f"{feed[1]}/upload/", f"{feed[1]}/simple/")
    # devpi's path is +simple.
    if simple := re.fullmatch(r"(.+)/\+?simple", root):
        return Index(f"{simple[1]}/", f"{root}/")
    return Index(f"{root}/", f"{root}/simple/")


def has_release(simple: str, version: str, credentials: Credentials | None = None) -> bool:
    """Returns whether an index has files of a version of this project.

    Args:
        simple: the URL of its Simple API, with a slash at the end.
        version: the version.
        credentials: sent only if the index answers 401 or 403 without them.

    Raises:
        Problem: the index cannot be reached, or its answer is not a project page.
    """
    url = urljoin(simple, f"{PROJECT}/")
    try:
        answer = _get(url)
        if answer.status_code in (401, 403) and credentials:
            answer = _get(url, credentials)
        # Some indexes redirect to PyPI for projects that they do not have.
        if answer.status_code == 404 or answer.is_redirect:
            return False
        answer.raise_for_status()
        page = ProjectPage.from_response(answer, PROJECT)
    except (requests.RequestException, UnsupportedContentTypeError, UnsupportedRepoVersionError, ValueError) as error:
        raise Problem(f"cannot find out whether {simple} has {PROJECT} {version}: {error}") from None
    return any(package.version and Version(package.version) == Version(version) for package in page.packages)


def _get(url: str, credentials: Credentials | None = None) -> requests.Response:
    """Follows redirects on the same host only. A redirect to another host is returned as it is."""
    auth = (credentials.username, credentials.password) if credentials else None
    with requests.Session() as session:
        for _ in range(5):
            answer = session.get(url, headers={"Accept": ACCEPT_ANY}, auth=auth, allow_redirects=False, timeout=TIMEOUT)
            target = urljoin(url, answer.headers.get("Location", ""))
            if not answer.is_redirect or urlsplit(target)[:2] != urlsplit(url)[:2]:
                return answer
            url = target
    raise requests.TooManyRedirects(f"too many redirects from {url}")
