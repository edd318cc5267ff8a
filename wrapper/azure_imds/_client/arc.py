"""Answers the challenge of the Azure Arc agent: this process must read a file that only privileged users may read.

The agent names the file in a 401 response. Whoever answers on its port could name any file, so only a regular file
directly in the agent's own folder is ever opened, and never through a link. (Microsoft Learn, "Authenticate against
Azure resources with Azure Arc-enabled servers". The checks are those of CVE-2024-35255, plus the one for links.)
"""

from __future__ import annotations

import errno
import ntpath
import os
import posixpath
import re
import stat
import sys

from ..errors import ArcChallengeError
from .files import open_without_blocking
from .not_imds import shorten
from .redaction import REMOVED, remove_opaque_words

#: Bytes. Microsoft's own clients read at most this much.
LARGEST_KEY = 4096
#: Characters. A real challenge has about a hundred.
_LONGEST_CHALLENGE = 2048

#: The parts of a challenge, and its parameters that are safe to quote. Others, and any other word, may be secrets.
_PART = re.compile(r"([\w-]+)\s*=(?!=)\s*(\"[^\"]*\"?|[^\s,\"]*)|([^\s,]+)")
_QUOTED_PARAMETERS = {"realm", "error", "error_description", "scope", "resource", "algorithm", "charset", "qop"}
_SCHEMES = {"basic", "bearer", "digest", "dpop", "hoba", "mutual", "negotiate", "ntlm", "pop", "scram-sha-256"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{,18}")

#: Environment variable that overrides the folder, for tests against an emulator.
FOLDER_VARIABLE = "AZURE_IMDS_ARC_TOKEN_DIR"

_BASIC = re.compile(r"\s*basic\s+realm\s*=\s*(.*?)\s*", re.IGNORECASE)
_BASIC_PATH = re.compile(r"\s*basic\s+realm\s*=\s*\"?([/\\]|[a-z]:)", re.IGNORECASE)
_NEXT_CHALLENGE = re.compile(r",\s*[\w-]+(\s+\S+\s*=|\s*$)")
_PARAMETER = re.compile(r"\"|[,\s]\s*[\w-]+\s*=")

_READERS = {
    "linux": "root and members of the group himds",
    "win32": "administrators and members of the local group 'Hybrid Agent Extension Applications'",
}


def token_folder() -> str:
    """The folder that key files are read from. "" where the Azure Arc agent does not run."""
    if override := os.environ.get(FOLDER_VARIABLE):
        return override
    if sys.platform == "win32":
        return ntpath.join(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "AzureConnectedMachineAgent", "Tokens")
    return "/var/opt/azcmagent/tokens" if sys.platform == "linux" else ""


def is_challenge(header: str, is_loopback: bool) -> bool:
    """Whether a WWW-Authenticate header is from the Azure Arc agent, or from its port on this machine."""
    return is_loopback or _BASIC_PATH.match(header) is not None


def quote_challenge(header: str) -> str:
    """A WWW-Authenticate header for an error message, on one line and without values that may be secrets."""
    parts: list[str] = []
    for name, value, word in _PART.findall(header[:_LONGEST_CHALLENGE]):
        if word:
            is_scheme = word.lower() in _SCHEMES or (not parts and _SCHEME.fullmatch(word))
            parts.append(word if is_scheme else REMOVED)
        else:
            shown = remove_opaque_words(value, in_paths=True) if name.lower() in _QUOTED_PARAMETERS else REMOVED
            parts.append(f"{remove_opaque_words(name, in_paths=True)}={shown}")
    return shorten(" ".join(parts), 200) or "an empty header"


def answer_challenge(header: str, is_loopback: bool) -> str | ArcChallengeError:
    """The Authorization header that answers a challenge: `Basic` and the content of the key file.

    Returns:
        The header, or an error if the endpoint is not this machine or the file must not be sent.
    """
    if not is_loopback:
        return ArcChallengeError("the challenge came from another machine, and key files are sent only to this one")
    match = _BASIC.fullmatch(header) if len(header) <= _LONGEST_CHALLENGE else None
    if match is None:
        return ArcChallengeError(
            "the challenge is not from Azure Arc, which sends: Basic realm=<path of a key file>. "
            f"It was: {quote_challenge(header)}"
        )
    if _NEXT_CHALLENGE.search(header):
        return ArcChallengeError(
            f"the response contains several challenges, and Azure Arc sends one. They were: {quote_challenge(header)}"
        )
    path = match[1]
    if len(path) > 1 and path[0] == path[-1] == '"':
        path = path[1:-1]
    if _PARAMETER.search(path):
        return ArcChallengeError(
            f"the challenge has parameters that Azure Arc does not send. It was: {quote_challenge(header)}"
        )
    if problem := _path_problem(path):
        return ArcChallengeError(problem)
    key = _read_key(path)
    return f"Basic {key}" if isinstance(key, str) else key


def _path_problem(path: str) -> str:
    """Why the file at this path must not be opened. "" if it may be."""
    paths = ntpath if sys.platform == "win32" else posixpath
    if not token_folder():
        return f"the Azure Arc agent does not run on {sys.platform}, so no key file can be trusted here"
    folder = paths.normcase(paths.normpath(token_folder()))
    if not path or not path.isprintable():
        return "the challenge names no file"
    if not paths.isabs(path):
        return f"the challenge names a relative path, {path!r}"
    if paths.normcase(paths.dirname(path)) != folder:
        return f"the challenge names {path!r}, which is not directly in {folder!r}"
    name = paths.basename(path)
    # On Windows, a colon in the name would select a hidden stream of another file.
    if not name.endswith(".key") or name == ".key" or (paths is ntpath and ":" in name):
        return f"the challenge names {path!r}, which is not a .key file"
    return ""


def _read_key(path: str) -> str | ArcChallengeError:
    """The key in a file, or an error."""
    try:
        # A link in the folder could point anywhere.
        # Windows has no O_NOFOLLOW, so links are detected before opening. Elsewhere the open itself decides.
        if os.path.islink(path):
            raise OSError(errno.ELOOP, "link")
        with open_without_blocking(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                return ArcChallengeError(f"{path!r} is not a regular file")
            if found.st_nlink > 1:
                # One of the names may be outside the folder: another file whose content would be sent.
                return ArcChallengeError(f"{path!r} has {found.st_nlink} names (hard links), and key files have one")
            key = file.read(LARGEST_KEY + 1)
    except OSError as error:
        return _read_error(path, error)
    if len(key) > LARGEST_KEY:
        return ArcChallengeError(f"{path!r} is larger than {LARGEST_KEY} bytes, so it is not a key")
    key = key.rstrip(b"\r\n")
    # Whitespace at either end would be refused when the request is sent, in an error that quotes it.
    if not key or key != key.strip() or any(byte < 0x20 or byte > 0x7E for byte in key):
        return ArcChallengeError(f"{path!r} contains no key: it is empty or has bytes that are not allowed in a header")
    return key.decode("ascii")


def _read_error(path: str, error: OSError) -> ArcChallengeError:
    if error.errno == errno.ELOOP:
        return ArcChallengeError(f"{path!r} is a link, and key files are never links")
    if isinstance(error, IsADirectoryError):
        return ArcChallengeError(f"{path!r} is not a regular file")
    if isinstance(error, FileNotFoundError):
        return ArcChallengeError(f"the key file {path!r} does not exist", retryable=True)
    if isinstance(error, PermissionError):
        readers = _READERS.get(sys.platform, "administrators")
        return ArcChallengeError(
            f"this process is not allowed to read the key file {path!r}",
            hint=f"Only {readers} may read it: add the account that runs this process to that group and restart it.",
        )
    return ArcChallengeError(f"the key file {path!r} cannot be read: {error.strerror}")
