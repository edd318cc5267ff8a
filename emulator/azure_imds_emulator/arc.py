"""The Azure Arc agent: key files that only processes on the machine can read, and the metadata of a hybrid machine."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path

from .addresses import TOKEN_PATH
from .clock import Clock
from .machine import Json, Machine
from .responses import Response, make_failure, make_identity_error

#: Lifetime of an unused key in seconds. The lifetime in the real agent is not known.
KEY_LIFETIME = 300.0
_MAX_KEYS = 256

#: The members of `compute` that the agent returns. The documentation mentions a subset without a list: we assume this.
_COMPUTE = (
    "azEnvironment",
    "location",
    "name",
    "osProfile",
    "osType",
    "provider",
    "resourceGroupName",
    "resourceId",
    "subscriptionId",
    "tags",
    "tagsList",
    "vmId",
)


class ChallengeKeys:
    """Keys for one use, each in a file `<uuid>.key` of a folder.

    The files have no final newline: clients send the content unchanged, and a newline would break the header.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._keys: dict[str, tuple[Path, float]] = {}

    def issue(self) -> Path:
        """Writes a new key to a new file that only this user can read. Returns the absolute path of the file."""
        self._remove_stale()
        path = self.folder.absolute() / f"{uuid.uuid4()}.key"
        key = secrets.token_hex(32)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.encode())
        self._keys[key] = (path, self._clock.elapsed() + KEY_LIFETIME)
        return path

    def redeem(self, authorization: str) -> bool:
        """Returns whether the header contains a valid key. The key is used up and its file removed."""
        self._remove_stale()
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        issued = self._keys.pop(key, None)
        if issued is None:
            return False
        issued[0].unlink(missing_ok=True)
        return True

    def clear(self) -> None:
        """Invalidates all keys and removes their files."""
        for path, _ in self._keys.values():
            path.unlink(missing_ok=True)
        self._keys.clear()

    def _remove_stale(self) -> None:
        now = self._clock.elapsed()
        surplus = len(self._keys) - _MAX_KEYS + 1
        for count, (key, (path, until)) in enumerate(list(self._keys.items())):
            if count < surplus or until <= now:
                del self._keys[key]
                path.unlink(missing_ok=True)


def make_challenge(keys: ChallengeKeys) -> Response:
    """Makes the 401 of the first step, with the path of a new key file. The path after `realm=` has no quotes."""
    response = make_failure(TOKEN_PATH, 401)
    path = os.fsencode(keys.issue()).decode("latin-1")  # so the bytes of the path are sent
    response.headers.append(("Www-Authenticate", f"Basic realm={path}"))
    return response


def make_invalid_key() -> Response:
    """Makes the 401 for a key that is unknown, used or expired. Its body, without a new challenge, is assumed."""
    return make_identity_error(401, "unauthorized_client", "Invalid Basic Authorization header")


def get_resource_id(machine: Machine) -> str:
    """Returns the ARM id of the machine as a hybrid machine."""
    return machine.resource_id.replace("/Microsoft.Compute/virtualMachines/", "/Microsoft.HybridCompute/machines/")


def build_instance(machine: Machine) -> dict[str, Json]:
    """Returns the agent's instance document: fewer fields, and the ids of a hybrid machine."""
    compute: Mapping[str, Json] = machine.compute
    members: dict[str, Json] = {name: compute[name] for name in _COMPUTE if name in compute}
    members |= {"provider": "Microsoft.HybridCompute", "resourceId": get_resource_id(machine)}
    # Recorded from a real agent: no keys, no storage and no network.
    return {"compute": members | {"publicKeys": None, "storageProfile": {}}, "network": {}}
