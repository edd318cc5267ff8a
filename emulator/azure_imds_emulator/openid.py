"""The issuer of the emulator's tokens, and the documents by which an API finds its keys (OpenID Connect Discovery)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .machine import Json, Machine

JWKS_PATH = "/discovery/keys"
DISCOVERY_PATH = "/.well-known/openid-configuration"

#: The value of the setting `issuer` for the issuer that tokens of the machine's cloud have.
AZURE = "azure"
TENANT = "{tenant}"

#: Azurite, the emulator of Azure Storage, accepts only tokens with an issuer of Azure.
_STORAGE = re.compile(r"https://(storage\.azure\.com|[^/]+\.(blob|dfs|file|queue|table)\.core\.[^/]+)/?", re.IGNORECASE)


class Issuer:
    """The issuer of tokens.

    Args:
        setting: the setting `issuer`.

    Attributes:
        control_url: URL of the control server, which has the documents. `""` before the emulator listens.
    """

    def __init__(self, machine: Machine, setting: str | None) -> None:
        self._machine = machine
        self._setting = setting
        self.control_url = ""

    def get_url(self, resource: str = "") -> str:
        """Returns the issuer in tokens for a resource."""
        setting = self._setting
        if setting is None and self.control_url and not _STORAGE.fullmatch(resource):
            setting = f"{self.control_url}/{TENANT}/"
        if setting in (None, AZURE):
            setting = f"{self._machine.token_authority}/{TENANT}/"
        return str(setting).replace(TENANT, self._machine.tenant_id)

    def build_document(self, base: str) -> dict[str, Json]:
        """Returns the discovery document.

        It names no endpoints for tokens and authorization: only the metadata service issues tokens.

        Args:
            base: the scheme, host and port by which the client reaches the control server.
        """
        return {
            "issuer": self.get_url(),
            "jwks_uri": f"{base}{JWKS_PATH}",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["pairwise"],
        }


def find_issuer_problem(setting: str) -> str:
    """Returns what is wrong with the setting `issuer`, for a message that starts with its name; `""` if valid."""
    parts = urlsplit(setting)
    if setting == AZURE or (parts.scheme in ("http", "https") and parts.hostname and not parts.query + parts.fragment):
        return ""
    return f"must be {AZURE} or a URL, for example http://127.0.0.1:8170/{TENANT}/, got {setting!r}"
