"""The Azure Arc agent's handshake: key files that only this machine can read, and what the agent tells of it."""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path

from .answers import Answer, failure, identity_error
from .clock import Clock
from .machine import Json, Machine

TOKEN_PATH = "/metadata/identity/oauth2/token"
#: Seconds that an unused key is honoured. The agent's own figure is not known.
KEY_LIFE = 300.0
_KEYS_KEPT = 256

#: The part of `compute` that the agent tells. The documentation speaks of a subset without listing it: a guess.
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
    """One-use keys, each in a file `<uuid>.key` of a folder, without a final newline.

    Real clients send the file's content as it stands, so a newline would break the header.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._keys: dict[str, tuple[Path, float]] = {}

    def issue(self) -> Path:
        """Write a new key to a new file, readable by this user alone, and return the absolute path."""
        self._forget_stale()
        path = self.folder.absolute() / f"{uuid.uuid4()}.key"
        key = secrets.token_hex(32)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.encode())
        self._keys[key] = (path, self._clock.elapsed() + KEY_LIFE)
        return path

    def redeem(self, authorization: str) -> bool:
        """Whether the header holds a key that was issued, is fresh and was not used before; it is used up now."""
        self._forget_stale()
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        found = self._keys.pop(key, None)
        if found is None:
            return False
        found[0].unlink(missing_ok=True)
        return True

    def clear(self) -> None:
        """Take back every key and remove its file."""
        for path, _ in self._keys.values():
            path.unlink(missing_ok=True)
        self._keys.clear()

    def _forget_stale(self) -> None:
        now = self._clock.elapsed()
        surplus = len(self._keys) - _KEYS_KEPT + 1
        for count, (key, (path, until)) in enumerate(list(self._keys.items())):
            if count < surplus or until <= now:
                del self._keys[key]
                path.unlink(missing_ok=True)


def challenge(keys: ChallengeKeys) -> Answer:
    """The first step's 401, which names a new key file; the path stands bare after `realm=`."""
    answer = failure(TOKEN_PATH, 401)
    answer.headers.append(("Www-Authenticate", f"Basic realm={keys.issue()}"))
    return answer


def wrong_key() -> Answer:
    """The answer to a key that is stale, used or made up; neither its body nor a new challenge is documented."""
    return identity_error(401, "unauthorized_client", "Invalid Basic Authorization header")


def machine_id(machine: Machine) -> str:
    """The ARM id of the machine as a hybrid one."""
    return machine.resource_id.replace("/Microsoft.Compute/virtualMachines/", "/Microsoft.HybridCompute/machines/")


def instance(machine: Machine) -> dict[str, Json]:
    """What the agent tells of the machine: fewer fields, and the ids of a hybrid machine."""
    compute: Mapping[str, Json] = machine.compute
    told: dict[str, Json] = {name: compute[name] for name in _COMPUTE if name in compute}
    told |= {"provider": "Microsoft.HybridCompute", "resourceId": machine_id(machine)}
    return {"compute": told, "network": machine.instance.get("network", {})}
