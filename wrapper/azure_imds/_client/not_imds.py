"""Decides whether a response is from IMDS, and says what else usually answers in its place.

One rule for all: IMDS sends `Server: IMDS/...` or a JSON object with `error`. A few agents answer for it, which this
module lists. Every other response is from something else, whatever its status.
"""

from __future__ import annotations

import json
import re
from typing import Any, cast

import httpx

from .._interruptions import is_interruption

_PROXY = "The response is from a proxy or gateway, not from IMDS. Requests to IMDS must not go through a proxy."

#: Texts of the pod identity agent of AKS (aad-pod-identity), which answers for IMDS on some clusters.
_POD_IDENTITY = re.compile(r"no azure identity found|pod list is empty|azure(assigned)?identity|nmi", re.IGNORECASE)

#: A container engine on a machine outside Azure. The rest of the text is the operating system's, in its language.
_CONTAINER_ENGINE = re.compile(r"\s*connecting to [\w.:\[\]]+: ")


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """The body if it is a JSON object."""
    try:
        parsed: Any = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        if is_interruption(error):
            raise
        return None
    return cast(dict[str, Any], parsed) if isinstance(parsed, dict) else None


def is_from_imds(response: httpx.Response) -> bool:
    """Whether a response that is not a usable success is from IMDS or an agent that answers for it."""
    status = response.status_code
    server = response.headers.get("server", "")
    if "IMDS" in server:
        return True
    body = json_object(response)
    if body is not None:
        # Early versions of Microsoft's own specification had code and message.
        return "error" in body or "newest-versions" in body or {"code", "message"} <= body.keys()
    if not response.content:
        # The Azure Arc agent refuses (401), the Guest Proxy Agent blocks a process (403), or the host's front end
        # answers while IMDS restarts.
        return (status in (401, 403) and not server) or (status >= 500 and "Microsoft-IIS" in server)
    if "Allow" in response.headers and status == 405:
        return response.content == b"Method Not Allowed"  # the Guest Proxy Agent
    return status >= 400 and not is_web_page(response) and _POD_IDENTITY.search(text_of(response)) is not None


def describe_other(response: httpx.Response) -> str:
    """What has probably answered instead of IMDS, and what to do, in a sentence or two."""
    server, body, text = response.headers.get("server", "").lower(), json_object(response), text_of(response)
    if 300 <= response.status_code < 400:
        return "IMDS never redirects: this is a login page or a gateway. The redirect was not followed."
    if is_web_page(response):
        return f"A web page was returned. {_PROXY}"
    if _CONTAINER_ENGINE.match(text):
        return "A container engine such as Docker Desktop answers like this on a machine outside Azure."
    if "envoy" in server or text.startswith("upstream connect error"):
        return "A service mesh (Envoy) answers. Exclude 169.254.169.254 from the mesh's outbound traffic."
    if (body is not None and "title" in body) or "EC2" in server or "Metadata Server for VM" in server:
        return "The metadata service of another cloud answers. This is not an Azure machine."
    if response.status_code in (407, 502, 504):
        return _PROXY
    return "Check what listens at this address: a proxy, another web server, or another cloud's metadata service."


def is_web_page(response: httpx.Response | None) -> bool:
    """Whether a response is HTML or XML."""
    return response is not None and (
        "html" in response.headers.get("content-type", "") or response.content.lstrip()[:1] == b"<"
    )


def text_of(response: httpx.Response) -> str:
    """The body as text, even if the response names a charset that Python does not decode text with, such as hex."""
    try:
        return response.text
    except Exception as error:
        if is_interruption(error):
            raise
        return response.content.decode("utf-8", "replace")


def shorten(text: str, most: int = 300) -> str:
    """One printable line of at most so many characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 8 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"
