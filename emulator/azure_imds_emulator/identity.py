"""Managed-identity tokens: which identity, which token, and the emulator's own signing key."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .answers import Answer, identity_error, ok
from .clock import Clock
from .machine import Json, Machine, ManagedIdentity

#: A token is dated back by this much, against clocks that differ: a life of a day reads 86 700 s from nbf to exp.
BACKDATED = 300
SELECTORS = ("client_id", "object_id", "msi_res_id")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+", re.IGNORECASE)
_TOKENS_KEPT = 1000


class Refused(Exception):
    """The token request is answered with an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def _refused(code: str, description: str) -> Refused:
    return Refused(identity_error(400, code, description))


def identity_not_found() -> Refused:
    """No identity at all, or none that the selector names."""
    return _refused("invalid_request", "Identity not found")


class SigningKey:
    """The RSA key that signs the emulator's tokens; its repr shows nothing of it."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._private.public_key().public_numbers()
        self._n = _base64url(numbers.n.to_bytes(256, "big"))
        self._e = _base64url(numbers.e.to_bytes(3, "big"))
        self.kid = _base64url(hashlib.sha256(f"{self._n}.{self._e}".encode()).digest()[:20])

    def jwks(self) -> dict[str, Json]:
        """The public half, as a JSON Web Key Set."""
        key = {"alg": "RS256", "e": self._e, "kid": self.kid, "kty": "RSA", "n": self._n, "use": "sig", "x5t": self.kid}
        return {"keys": [key]}

    def sign(self, claims: Mapping[str, Json]) -> str:
        """A compact JWT, RS256."""
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.kid, "kid": self.kid}
        signed = f"{_base64url(_json(header))}.{_base64url(_json(claims))}"
        signature = self._private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64url(signature)}"


_key_lock = threading.Lock()


@cache
def _signing_key() -> SigningKey:
    return SigningKey()


def signing_key() -> SigningKey:
    """The process's one signing key. Made when first needed, since an RSA key takes longer than an emulator's start."""
    with _key_lock:
        return _signing_key()


@dataclass(slots=True)
class _Token:
    text: str = field(repr=False)
    not_before: int
    expires_on: int


class TokenService:
    """Answers token requests for one machine, from a cache as the service does.

    Args:
        machine: whose identities.
        lifetime: seconds from issue to expiry.
        accept_mi_res_id: whether `mi_res_id` is understood too; otherwise it is ignored like any unknown parameter.
    """

    def __init__(self, machine: Machine, clock: Clock, *, lifetime: int, accept_mi_res_id: bool = False) -> None:
        self._machine = machine
        self._clock = clock
        self.lifetime = lifetime
        self.accept_mi_res_id = accept_mi_res_id
        self._tokens: dict[tuple[ManagedIdentity, str, str], _Token] = {}

    def token(self, query: Mapping[str, str], *, machine_id: str | None = None) -> dict[str, Json]:
        """The members of a token response, in alphabetical order.

        Args:
            query: the request's parameters.
            machine_id: ARM id of the machine, where it is not the virtual machine's (Arc).

        Raises:
            Refused: with the answer to give.
        """
        resource = query.get("resource", "")
        if not resource:
            # The words are those of a sibling API; IMDS's own are not known.
            raise _refused("invalid_request", "Required audience parameter not specified")
        bypass = query.get("bypass_cache")
        if bypass not in (None, "true"):
            raise _refused("invalid_request", "Bad request")
        identity, selector = self.select(query)
        if self._is_unknown(resource):
            raise _refused(
                "invalid_resource",
                f"AADSTS500011: The tenant {self._machine.tenant_id} has no resource principal called {resource}.",
            )
        token = self._cached(identity, resource, query.get("authority", ""), machine_id, fresh=bypass == "true")
        body = {
            "access_token": token.text,
            "client_id": identity.client_id,
            "expires_in": str(max(0, token.expires_on - int(self._clock.time()))),
            "expires_on": str(token.expires_on),
            "ext_expires_in": str(self.lifetime - 1),
            "not_before": str(token.not_before),
            "resource": resource,
            "token_type": "Bearer",
        }
        if selector == "object_id":
            body["object_id"] = identity.object_id
        elif selector in ("msi_res_id", "mi_res_id"):
            body["msi_res_id"] = identity.resource_id or machine_id or self._machine.resource_id
        return dict(sorted(body.items()))

    def select(self, query: Mapping[str, str]) -> tuple[ManagedIdentity, str | None]:
        """Which identity the parameters mean, and by which of them.

        Without a selector: the system-assigned identity if there is one, else the only user-assigned one.

        Raises:
            Refused: none fits, several would, or more than one selector was given.
        """
        machine = self._machine
        names = (*SELECTORS, "mi_res_id") if self.accept_mi_res_id else SELECTORS
        given = [name for name in names if name in query]
        if len(given) > 1:
            raise _refused("invalid_request", "Bad request")
        everyone = [*([machine.system_assigned] if machine.system_assigned else []), *machine.user_assigned]
        if given:
            wanted = query[given[0]].lower()
            for identity in everyone:
                if wanted and wanted == self._id(identity, given[0]).lower():
                    return identity, given[0]
            raise identity_not_found()
        if machine.system_assigned:
            return machine.system_assigned, None
        if not everyone:
            raise identity_not_found()
        if len(everyone) > 1:
            raise _refused(
                "invalid_request",
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity"
                " in the token request",
            )
        return everyone[0], None

    def info(self) -> Answer:
        """The answer of `/identity/info`; without any identity the same refusal as for a token (a guess)."""
        if not self._machine.system_assigned and not self._machine.user_assigned:
            return identity_not_found().answer
        return ok({"tenantId": self._machine.tenant_id})

    def clear(self) -> None:
        """Forget the tokens, as if nobody had asked yet."""
        self._tokens.clear()

    def _id(self, identity: ManagedIdentity, selector: str) -> str:
        if selector == "client_id":
            return identity.client_id
        if selector == "object_id":
            return identity.object_id
        return identity.resource_id or self._machine.resource_id

    def _is_unknown(self, resource: str) -> bool:
        if resource in self._machine.invalid_resources or resource.endswith("/.default"):
            # A scope is not a resource: the directory knows no principal of that name.
            return True
        return not (_GUID.fullmatch(resource) or _URI.fullmatch(resource))

    def _cached(
        self, identity: ManagedIdentity, resource: str, authority: str, machine_id: str | None, *, fresh: bool
    ) -> _Token:
        key = (identity, resource, authority)
        now = int(self._clock.time())
        # How early the service renews is not known. Clients count a token with less than five minutes as expired;
        # a service that handed those out again would be asked in a loop.
        margin = min(300, self.lifetime // 10)
        token = self._tokens.pop(key, None)
        if token is None or fresh or token.expires_on - now <= margin:
            token = self._issue(identity, resource, machine_id, now)
        self._tokens[key] = token
        if len(self._tokens) > _TOKENS_KEPT:
            del self._tokens[next(iter(self._tokens))]
        return token

    def _issue(self, identity: ManagedIdentity, resource: str, machine_id: str | None, now: int) -> _Token:
        tenant = self._machine.tenant_id
        not_before, expires_on = now - BACKDATED, now + self.lifetime
        machine = _as_claimed(machine_id or self._machine.resource_id)
        claims: dict[str, Json] = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": not_before,
            "nbf": not_before,
            "exp": expires_on,
            "appid": identity.client_id,
            "appidacr": "2",
            "idp": f"https://sts.windows.net/{tenant}/",
            "idtyp": "app",
            "oid": identity.object_id,
            "sub": identity.object_id,
            "tid": tenant,
            # Makes two tokens of the same second differ, as real ones do.
            "uti": _base64url(uuid.uuid4().bytes),
            "ver": "1.0",
        }
        if identity.resource_id:
            claims["xms_az_rid"] = machine
            claims["xms_mirid"] = _as_claimed(identity.resource_id)
        else:
            claims["xms_mirid"] = machine
        return _Token(signing_key().sign(claims), not_before, expires_on)


def _as_claimed(resource_id: str) -> str:
    # Token claims spell this segment in lower case where the metadata has resourceGroups, as observed.
    return resource_id.replace("/resourceGroups/", "/resourcegroups/")


def _json(value: Mapping[str, Json]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
