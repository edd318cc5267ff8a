"""Presets of faults: failures of components around IMDS, and odd responses of IMDS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .machine import Json, is_object
from .responses import BAD_API_VERSION, FRONT_END, JSON_TYPE, TEXT_TYPE, Response, encode_json, make_failure

HeaderChanges = Mapping[str, str | None]
Change = Callable[[Mapping[str, str], Response], Response]


@dataclass(frozen=True, slots=True)
class Preset:
    """A response that was documented or observed on real hosts.

    Attributes:
        status: status of the response; `None` for a change of the normal response.
        body: body of the response; `None` for a change of the normal response.
        headers: header fields to set, or to remove if the value is `None`.
        path: the path that the preset is limited to, unless `fail` has another one.
        change: returns the changed response to a request with these parameters.
    """

    status: int | None = None
    body: bytes | None = None
    headers: HeaderChanges = field(default_factory=dict[str, str | None])
    path: str | None = None
    change: Change | None = None


def _make_json_preset(status: int, body: Json) -> Preset:
    return Preset(status, encode_json(body), {"Content-Type": JSON_TYPE})


def _change_document(response: Response, change: Callable[[dict[str, Json]], object]) -> Response:
    """Returns a success with a changed JSON object. Does not change other responses."""
    document: Json = json.loads(response.body) if response.status == 200 else None
    if not is_object(document):
        return response
    change(document)
    return Response(response.status, encode_json(document), response.headers)


def _remove_events(query: Mapping[str, str], response: Response) -> Response:
    return _change_document(response, lambda document: document.pop("Events", None))


def _empty_descriptions(query: Mapping[str, str], response: Response) -> Response:
    def change(document: dict[str, Json]) -> None:
        for event in document.get("Events", []):
            if "Description" in event:
                event["Description"] = ""

    return _change_document(response, change)


def _remove_network(query: Mapping[str, str], response: Response) -> Response:
    if query.get("extended", "").lower() == "true":
        return make_failure("/metadata/instance", 500)
    return _change_document(response, lambda document: document.pop("network", None))


_EVENTS = "/metadata/scheduledevents"

#: Failures of components around IMDS, odd responses of IMDS, and error texts that exist in more than one version.
PRESETS: Mapping[str, Preset] = {
    # The host's front end responds while IMDS restarts behind it.
    "imds-restarting": Preset(500, b"", {"Content-Type": TEXT_TYPE, "Server": FRONT_END}),
    # A container on Docker Desktop: its proxy responds, and there is no IMDS behind it. Its text repeats the address,
    # as in the reports Azure/azure-sdk-for-python#31759 and Azure/azure-sdk-for-net#42134.
    "docker-desktop": Preset(
        403,
        b"connecting to 169.254.169.254:80: connecting to 169.254.169.254:80: dial tcp 169.254.169.254:80:"
        b" connectex: A socket operation was attempted to an unreachable network.",
        {"Content-Type": "text/plain", "Server": None},
    ),
    # The guest proxy agent in Enforce mode refuses the caller.
    "guest-proxy-agent-forbidden": Preset(403, b"", {"Connection": "close", "Content-Type": None, "Server": None}),
    "guest-proxy-agent-method": Preset(
        405,
        b"Method Not Allowed",
        {
            "Allow": "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH",
            "Content-Type": TEXT_TYPE,
            "Connection": "close",
            "Server": None,
        },
    ),
    # The deprecated pod identity of AKS intercepts the request.
    "pod-identity-nmi": Preset(500, b"pod list is empty", {"Content-Type": TEXT_TYPE, "Server": None}),
    "token-failure": _make_json_preset(
        500,
        {
            "error": "unknown",
            "error_description": "Failed to retrieve token from the Active directory."
            " For details see logs in <file path>",
        },
    ),
    # The retired extension on port 50342.
    "legacy-missing-header": _make_json_preset(
        400, {"error": "bad_request_102", "error_description": "Required metadata header not specified"}
    ),
    # The specification's example of a 429. Live hosts send another text.
    "throttled-spec": _make_json_preset(429, {"error": "too_many_requests", "error_description": "Too many requests"}),
    # The error text of hosts of 2020 for a missing api-version.
    "older-api-version": _make_json_preset(
        400,
        {
            "error": BAD_API_VERSION.replace("is invalid or was", "was"),
            "newest-versions": ["2020-10-01", "2020-09-01", "2020-07-15"],
        },
    ),
    # The answer of hosts of 2017 to 2019 to an api-version that never existed.
    "unknown-api-version-2017": Preset(
        404, b'{ "error": "Not found. Invalid version requested" }', {"Content-Type": JSON_TYPE}
    ),
    # Scheduled events, as some hosts send them.
    "events-as-text": Preset(headers={"Content-Type": "text/plain"}, path=_EVENTS),
    "events-without-list": Preset(path=_EVENTS, change=_remove_events),
    "events-empty-description": Preset(path=_EVENTS, change=_empty_descriptions),
    # One of the sources of IMDS is down. Provisioning agents, which send extended=true, get an error instead.
    "instance-partial": Preset(path="/metadata/instance", change=_remove_network),
    "load-balancer-not-provisioned": _make_json_preset(
        404, {"error": "Load Balancer metadata API isn't available right now. Retry later"}
    ),
}


def find_preset(name: str | None, status: int | None) -> Preset | None:
    """Returns the preset with this name; `None` without a name.

    Raises:
        ValueError: there is no such preset, or it excludes the status.
    """
    if name is None:
        return None
    if status is not None:
        raise ValueError("status and preset exclude each other: pass one of them")
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]
