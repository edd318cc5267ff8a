"""Reads the claims of an access token. It does not verify the signature: only the token's audience can."""

from __future__ import annotations

import base64
import json
from typing import Any, cast


def read_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT (RFC 7519); empty if the token is not a JWT, which its issuer is free to choose."""
    try:
        payload = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], claims) if isinstance(claims, dict) else {}
