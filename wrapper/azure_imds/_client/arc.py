"""Azure Arc's challenge: prove to the agent that this process may read a file in a folder that only it may list.

The agent names the file in a 401, so whoever can answer on its port could ask for any file. Therefore nothing but
a regular file, directly in the agent's own folder, is ever opened. (Microsoft Learn, "Authenticate against Azure
resources with Azure Arc-enabled servers"; the checks are those of CVE-2024-35255, and no links on top.)
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

#: Bytes; Microsoft's own clients read no more.
LARGEST_KEY = 4096
#: Letters of a challenge that are looked at; a real one has about a hundred.
_LONGEST_CHALLENGE = 2048

#: Overrides the folder, for tests against an emulator.
FOLDER_VARIABLE = "AZURE_IMDS_ARC_TOKEN_DIR"

_BASIC = re.compile(r"\s*basic\s+realm\s*=\s*(.*?)\s*", re.IGNORECASE)
_ANOTHER = re.compile(r",\s*[\w-]+(\s+\S+\s*=|\s*$)")

_READERS = {
    "linux": "root and members of the group himds",
    "win32": "administrators and members of the local group 'Hybrid Agent Extension Applications'",
}


def token_folder() -> str:
    """The only folder that key files are read from."""
    if override := os.environ.get(FOLDER_VARIABLE):
        return override
    if sys.platform == "win32":
        return ntpath.join(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "AzureConnectedMachineAgent", "Tokens")
    if sys.platform == "linux":
        return "/var/opt/azcmagent/tokens"
    raise ArcChallengeError(f"Azure Arc's agent does not run on {sys.platform}, so no key file can be trusted here")


def is_challenge(header: str | None, loopback: bool) -> bool:
    """Whether a WWW-Authenticate header is Azure Arc's, or one that only its agent's place can have sent."""
    return header is not None and (loopback or _BASIC.match(header) is not None)


def answer(header: str, loopback: bool) -> str:
    """The Authorization header for a challenge: `Basic` and the content of the key file as it is.

    Raises:
        ArcChallengeError: the endpoint is not this machine, or the file is not one that may be sent.
    """
    if not loopback:
        raise ArcChallengeError("the challenge came from another machine; a key file is only ever sent to this one")
    match = _BASIC.fullmatch(header) if len(header) <= _LONGEST_CHALLENGE else None
    if match is None:
        raise ArcChallengeError("the challenge is not Azure Arc's, which would be: Basic realm=<path of a key file>")
    if _ANOTHER.search(header):
        raise ArcChallengeError("the answer holds several challenges, and Azure Arc sends one")
    path = match[1]
    if len(path) > 1 and path[0] == path[-1] == '"':
        path = path[1:-1]
    key, problem = _read(_checked(path))
    if problem is not None:
        raise problem
    return f"Basic {key}"


def _checked(path: str) -> str:
    paths = ntpath if sys.platform == "win32" else posixpath
    folder = paths.normcase(paths.normpath(token_folder()))
    if not path or not path.isprintable():
        raise ArcChallengeError("the challenge names no file")
    if not paths.isabs(path):
        raise ArcChallengeError(f"the challenge names a relative path, {path!r}")
    if paths.normcase(paths.dirname(path)) != folder:
        raise ArcChallengeError(f"the challenge names {path!r}, which is not directly in {folder!r}")
    name = paths.basename(path)
    # On Windows, a colon makes it a hidden stream of another file.
    if not name.endswith(".key") or name == ".key" or (paths is ntpath and ":" in name):
        raise ArcChallengeError(f"the challenge names {path!r}, which is not a .key file")
    return path


def _read(path: str) -> tuple[str, ArcChallengeError | None]:
    """The key, or why there is none. Raises nothing: an error's traceback would keep this frame, and the key in it."""
    # A FIFO would block an ordinary open for ever; a link in the folder could lead anywhere.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        # Windows has no O_NOFOLLOW, so the link is looked for before; where it exists, the open itself decides.
        if os.path.islink(path):
            raise OSError(errno.ELOOP, "link")
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
        try:
            # os.fdopen would refuse a folder, and in its own words.
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return "", ArcChallengeError(f"{path!r} is not a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                key = file.read(LARGEST_KEY + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        return "", _unreadable(path, error)
    if len(key) > LARGEST_KEY:
        return "", ArcChallengeError(f"{path!r} is larger than {LARGEST_KEY} bytes, so it is not a key")
    key = key.rstrip(b"\r\n")
    # A blank at either end would be refused on the way out, and the refusal would quote it.
    if not key or key != key.strip() or any(byte < 0x20 or byte > 0x7E for byte in key):
        return "", ArcChallengeError(f"{path!r} does not hold a key: it is empty or has bytes that no header may carry")
    return key.decode("ascii"), None


def _unreadable(path: str, error: OSError) -> ArcChallengeError:
    if error.errno == errno.ELOOP:
        return ArcChallengeError(f"{path!r} is a link; key files are never links")
    if isinstance(error, FileNotFoundError):
        return ArcChallengeError(f"the key file {path!r} does not exist", retryable=True)
    if isinstance(error, PermissionError):
        readers = _READERS.get(sys.platform, "administrators")
        return ArcChallengeError(
            f"this process may not read the key file {path!r}",
            hint=f"Only {readers} may; add the account that runs this process to that group and start it anew.",
        )
    return ArcChallengeError(f"the key file {path!r} cannot be read: {error.strerror}")
