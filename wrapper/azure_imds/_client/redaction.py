"""Detects and removes tokens and keys in error responses, in any form in which servers quote what they have received.

Imported for error responses only.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from azure_imds_api.api import SECRETS

#: How often text may have been encoded, such as JSON within JSON within a form.
_MOST_ENCODINGS = 5

#: A secret member of JSON, a form or XML: access_token, accessToken, ACCESS-TOKEN. Needs linear time.
_SECRET = re.compile(rf"(?:{'|'.join(name.replace('_', '[_-]?') for name in SECRETS)})[\"'\s]*[:=>]", re.IGNORECASE)
#: A word that may be a JWT. Needs linear time.
_WORD = re.compile(r"[\w.-]+", re.ASCII)
_ESCAPE = re.compile(r"\\u00([0-7][0-9A-Fa-f])")


#: A word that may be a token or key of any form: it is long, or starts as a JWT does. In a path, each name is a word.
_OPAQUE = re.compile(r"[^\s\"'<>(){},;]{20,}|eyJ[^\s\"]*")
_OPAQUE_IN_PATH = re.compile(r"[^\s\"'<>(){},;/\\]{20,}|eyJ[^\s\"]*")
REMOVED = "[removed]"


def remove_opaque_words(text: str, *, in_paths: bool = False) -> str:
    """Replaces the words of a text that may be tokens or keys.

    Args:
        text: the text.
        in_paths: whether the text contains paths, whose names are looked at one by one.
    """
    return (_OPAQUE_IN_PATH if in_paths else _OPAQUE).sub(REMOVED, text)


def contains_secret(content: bytes, *keys: bytes) -> bool:
    """Whether a body or header of an error response contains a token or key. If so, callers must not see it.

    Args:
        content: the body, or one header.
        keys: the keys and other secrets that were sent with the request. An empty one is ignored.
    """
    # In UTF-16 and UTF-32, which JSON may be in, at least every second byte is NUL.
    text = content.replace(b"\0", b"").decode("latin-1")
    secrets = [key.decode("latin-1") for key in keys if key]
    for _ in range(_MOST_ENCODINGS):
        if any(secret in text for secret in secrets) or _SECRET.search(text) or _has_jwt(text):
            return True
        if (decoded := _decode_once(text)) == text:
            return False
        text = decoded
    return True  # still encoded: what it contains is unknown


def _has_jwt(text: str) -> bool:
    return "eyJ" in text and any("." in word.partition("eyJ")[2] for word in _WORD.findall(text))


def _decode_once(text: str) -> str:
    """Decodes percent-encoding, XML's character references, and the escapes of JSON."""
    if "%" in text:
        text = unquote(text, "latin-1")
    if "&" in text:
        from html import unescape

        text = unescape(text)
    if "\\" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).replace("\\", "")
    return text
