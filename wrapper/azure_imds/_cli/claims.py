"""What an access token says about itself. Nothing here believes it: the signature is its audience's to check."""

from __future__ import annotations

import base64
import json
from typing import Any, cast


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT (RFC 7519); empty where the token is none, as its audience alone decides what it is."""
    try:
        payload = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], claims) if isinstance(claims, dict) else {}
