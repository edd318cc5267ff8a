"""Managed-identity tokens: selection of the identity, the token, and the emulator's signing key."""

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

from .clock import Clock
from .machine import Json, Machine, ManagedIdentity
from .openid import Issuer
from .responses import Response, make_identity_error, make_json

#: `nbf` is this many seconds before the issue of a token, as a margin for clocks that differ. Observed: a token with a
#: lifetime of a day has 86,700 seconds from `nbf` to `exp`.
NOT_BEFORE_MARGIN = 300
SELECTORS = ("client_id", "object_id", "msi_res_id")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+", re.IGNORECASE)
_MAX_TOKENS = 1000


class TokenError(Exception):
    """The token request is refused.

    Attributes:
        response: the error response to send.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.response = make_identity_error(400, code, description)


class IdentityNotFound(TokenError):
    """The machine has no identity, or none that the selector matches."""

    def __init__(self) -> None:
        super().__init__("invalid_request", "Identity not found")


class SigningKey:
    """The RSA key that signs the emulator's tokens. The repr does not show the key."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._private.public_key().public_numbers()
        self._n = _encode_base64url(numbers.n.to_bytes(256, "big"))
        self._e = _encode_base64url(numbers.e.to_bytes(3, "big"))
        self.kid = _encode_base64url(hashlib.sha256(f"{self._n}.{self._e}".encode()).digest()[:20])

    def to_jwks(self) -> dict[str, Json]:
        """Returns the public key as a JSON Web Key Set."""
        key = {"alg": "RS256", "e": self._e, "kid": self.kid, "kty": "RSA", "n": self._n, "use": "sig", "x5t": self.kid}
        return {"keys": [key]}

    def sign(self, claims: Mapping[str, Json]) -> str:
        """Returns a compact JWT with these claims, signed with RS256."""
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.kid, "kid": self.kid}
        signed = f"{_encode_base64url(_encode_json(header))}.{_encode_base64url(_encode_json(claims))}"
        signature = self._private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encode_base64url(signature)}"


_key_lock = threading.Lock()
_has_key = threading.Event()


@cache
def _make_signing_key() -> SigningKey:
    return SigningKey()


def get_signing_key() -> SigningKey:
    """Returns the process's signing key.

    It is generated on first use, because generating an RSA key takes longer than the start of an emulator.
    """
    with _key_lock:
        key = _make_signing_key()
        _has_key.set()
        return key


def has_signing_key() -> bool:
    """Whether `get_signing_key` returns at once."""
    return _has_key.is_set()


@dataclass(slots=True)
class Token:
    """A token, with its times in Unix seconds."""

    text: str = field(repr=False)
    not_before: int
    expires_on: int

    def get_remaining(self, clock: Clock) -> int:
        """Returns the seconds until it expires."""
        return max(0, self.expires_on - int(clock.time()))


class TokenService:
    """Answers token requests for one machine, with a token cache as in the service.

    Args:
        machine: the machine with the identities.
        issuer: the issuer of its tokens.
        lifetime: seconds from a token's issue to its expiry.
        accept_mi_res_id: whether `mi_res_id` is read as `msi_res_id`, as on Azure VMs. Otherwise it is ignored, like
            any unknown parameter.
    """

    def __init__(
        self, machine: Machine, clock: Clock, *, issuer: Issuer, lifetime: int, accept_mi_res_id: bool = True
    ) -> None:
        self._machine = machine
        self._clock = clock
        self.issuer = issuer
        self.lifetime = lifetime
        self.accept_mi_res_id = accept_mi_res_id
        self._tokens: dict[tuple[ManagedIdentity, str, str, str], Token] = {}

    def get_token(self, query: Mapping[str, str], *, machine_id: str | None = None) -> dict[str, Json]:
        """Returns the members of a token response, in alphabetical order.

        Args:
            query: the parameters of the request.
            machine_id: ARM id of the machine, if it is not a virtual machine (Arc).

        Raises:
            TokenError: the request is refused.
        """
        resource = query.get("resource", "")
        if not resource:
            # This is the text of a similar API. The text of IMDS is not known.
            raise TokenError("invalid_request", "Required audience parameter not specified")
        bypass = query.get("bypass_cache")
        if bypass not in (None, "true"):
            raise TokenError("invalid_request", "Bad request")
        identity, selector = self.select_identity(query)
        if self.is_unknown(resource):
            raise TokenError(
                "invalid_resource",
                f"AADSTS500011: The tenant {self._machine.tenant_id} has no resource principal called {resource}.",
            )
        token = self.get_or_issue(identity, resource, query.get("authority", ""), machine_id, use_cached=bypass is None)
        body = {
            "access_token": token.text,
            "client_id": identity.client_id,
            "expires_in": str(token.get_remaining(self._clock)),
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

    def select_identity(self, query: Mapping[str, str]) -> tuple[ManagedIdentity, str | None]:
        """Returns the identity that the parameters select, and the name of the selector or `None`.

        Without a selector, this is the system-assigned identity. Without that, it is the only user-assigned identity.

        Raises:
            TokenError: no identity matches, several match, or there is more than one selector.
        """
        machine = self._machine
        names = (*SELECTORS, "mi_res_id") if self.accept_mi_res_id else SELECTORS
        selectors = [name for name in names if name in query]
        if len(selectors) > 1:
            raise TokenError("invalid_request", "Bad request")
        identities = machine.identities
        if selectors:
            wanted = query[selectors[0]].lower()
            for identity in identities:
                if wanted and wanted == self.get_id(identity, selectors[0]).lower():
                    return identity, selectors[0]
            raise IdentityNotFound
        if machine.system_assigned:
            return machine.system_assigned, None
        if not identities:
            raise IdentityNotFound
        if len(identities) > 1:
            raise TokenError(
                "invalid_request",
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity"
                " in the token request",
            )
        return identities[0], None

    def get_info(self) -> Response:
        """Makes the response of `/identity/info`. Without an identity, we assume the same error as for a token."""
        if not self._machine.system_assigned and not self._machine.user_assigned:
            return IdentityNotFound().response
        return make_json({"tenantId": self._machine.tenant_id})

    def clear(self) -> None:
        """Clears the token cache."""
        self._tokens.clear()

    def get_id(self, identity: ManagedIdentity, selector: str) -> str:
        """Returns the id by which this selector selects the identity."""
        if selector == "client_id":
            return identity.client_id
        if selector == "object_id":
            return identity.object_id
        return identity.resource_id or self._machine.resource_id

    def is_unknown(self, resource: str) -> bool:
        """Whether the tenant does not know this resource."""
        if resource in self._machine.invalid_resources or resource.endswith("/.default"):
            # A scope is not a resource: the directory has no principal with this name.
            return True
        return not (_GUID.fullmatch(resource) or _URI.fullmatch(resource))

    def get_or_issue(
        self,
        identity: ManagedIdentity,
        resource: str,
        authority: str = "",
        machine_id: str | None = None,
        *,
        use_cached: bool = True,
    ) -> Token:
        """Returns the cached token, or a new one if there is none or it expires soon."""
        issuer = self.issuer.get_url(resource)
        # A changed identity or issuer gets new tokens.
        key = (identity, resource, authority, issuer)
        now = int(self._clock.time())
        # How early the service renews a token is not known. Clients treat a token with less than five minutes left as
        # expired. If the service returned such a token again, they would request tokens in a loop.
        margin = min(300, self.lifetime // 10)
        token = self._tokens.pop(key, None)
        if token is None or not use_cached or token.expires_on - now <= margin:
            token = self._issue(identity, resource, issuer, machine_id, now)
        self._tokens[key] = token
        if len(self._tokens) > _MAX_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        return token

    def _issue(self, identity: ManagedIdentity, resource: str, issuer: str, machine_id: str | None, now: int) -> Token:
        not_before, expires_on = now - NOT_BEFORE_MARGIN, now + self.lifetime
        machine = _format_claim(machine_id or self._machine.resource_id)
        claims: dict[str, Json] = {
            "aud": resource,
            "iss": issuer,
            "iat": not_before,
            "nbf": not_before,
            "exp": expires_on,
            "appid": identity.client_id,
            "appidacr": "2",
            "idp": issuer,
            "idtyp": "app",
            "oid": identity.object_id,
            "sub": identity.object_id,
            "tid": self._machine.tenant_id,
            # Makes tokens of the same second differ, as real tokens do.
            "uti": _encode_base64url(uuid.uuid4().bytes),
            "ver": "1.0",
        }
        if identity.resource_id:
            claims["xms_az_rid"] = machine
            claims["xms_mirid"] = _format_claim(identity.resource_id)
        else:
            claims["xms_mirid"] = machine
        claims |= identity.claims
        return Token(get_signing_key().sign(claims), not_before, expires_on)


def _format_claim(resource_id: str) -> str:
    # In observed token claims this segment is in lower case. In the metadata it is resourceGroups.
    return resource_id.replace("/resourceGroups/", "/resourcegroups/")


def _encode_json(value: Mapping[str, Json]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
