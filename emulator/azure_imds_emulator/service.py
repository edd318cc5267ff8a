"""The logic of the service: from a request to its response. It does no I/O."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, unquote

from . import arc, attested, identity, instance, responses, trusted_hardware, versions
from .addresses import TOKEN_PATH
from .attested import AttestedDocuments, BadNonce
from .events import BadStartRequest, EventSchedule, UnknownEvent
from .identity import SELECTORS, TokenError, TokenService
from .limits import Limits
from .machine import Json, Machine
from .operations import (
    AMD_CERTIFICATION_PATH,
    ATTESTED_PATH,
    EVENTS_PATH,
    INFO_PATH,
    INSTANCE_PATH,
    LOAD_BALANCER_PATH,
    SERVED,
    VERSIONS_PATH,
)
from .requests import Headers
from .responses import (
    Response,
    is_identity,
    is_load_balancer,
    make_error,
    make_failure,
    make_identity_error,
    make_json,
    make_text,
)

# Longer requests are refused. The documentation mentions limits, but not these numbers.
MAX_BODY = 64 * 1024
MAX_PARAMETER_KEY = 256
MAX_PARAMETER_VALUE = 8 * 1024
MAX_HEADER_VALUE = 16 * 1024

#: The newer credential flow, which the emulator does not support. Its clients probe without the Metadata header and
#: treat a 400 as support, so these paths are unknown before any other check.
_CREDENTIAL_FLOW = ("/metadata/identity/getplatformmetadata", "/metadata/identity/issuecredential")


@dataclass(slots=True)
class Request:
    """A parsed request.

    Attributes:
        path: the decoded path.
        segments: the decoded parts of the path between slashes. An escaped slash stays in its part.
        parameters: the decoded query, in order, with duplicates.
        is_within_concurrency: whether the request was within the limit of concurrent requests when it was received.
    """

    method: str
    path: str
    segments: list[str]
    parameters: list[tuple[str, str]]
    headers: Headers
    body: bytes
    is_within_concurrency: bool = True

    @classmethod
    def parse(cls, method: str, raw_path: str, query_string: str, headers: Headers, body: bytes) -> Request:
        """Parses the parts of an HTTP request."""
        parameters = parse_qsl(query_string, keep_blank_values=True, errors="replace", max_num_fields=None)
        segments = [unquote(segment) for segment in raw_path.split("/")[1:]]
        return cls(method, unquote(raw_path), segments, parameters, headers, body)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    supported: frozenset[str] | None
    respond: Callable[[Request, Mapping[str, str], str], Response]


class Service:
    """The metadata service of one machine.

    Args:
        keys: the challenge keys of the Arc agent; `None` on an Azure VM.
        arc_echo: whether the agent supports user-assigned identities and returns their ids, as newer agents do. Older
            agents ignore the selector and use the machine's own identity.
        metadata_header: `exact` if the header must be `Metadata: true`, `any` if its value can have any case.
    """

    def __init__(
        self,
        machine: Machine,
        tokens: TokenService,
        events: EventSchedule,
        attested: AttestedDocuments,
        limits: Limits,
        *,
        keys: arc.ChallengeKeys | None = None,
        arc_echo: bool = True,
        metadata_header: Literal["exact", "any"] = "exact",
    ) -> None:
        self._machine = machine
        self._tokens = tokens
        self._events = events
        self._attested = attested
        self._limits = limits
        self._keys = keys
        self.arc_echo = arc_echo
        self._metadata_header = metadata_header
        instances = _Endpoint(versions.INSTANCE, self._get_instance)
        self._endpoints: dict[str, _Endpoint] = {INSTANCE_PATH: instances}
        if keys is None:
            self._endpoints |= {
                VERSIONS_PATH: _Endpoint(None, self._get_versions),
                ATTESTED_PATH: _Endpoint(versions.ATTESTED, self._get_attested_document),
                TOKEN_PATH: _Endpoint(versions.IDENTITY, self._get_token),
                INFO_PATH: _Endpoint(versions.IDENTITY, self._get_info),
                EVENTS_PATH: _Endpoint(versions.SCHEDULED_EVENTS, self._handle_events),
                AMD_CERTIFICATION_PATH: _Endpoint(None, self._get_amd_certification),
                LOAD_BALANCER_PATH: _Endpoint(versions.LOAD_BALANCER, self._get_load_balancer),
            }
        else:
            self._endpoints[TOKEN_PATH] = _Endpoint(versions.IDENTITY, self._get_arc_token)

    def find_slow_step(self, request: Request) -> Callable[[], object] | None:
        """Returns what makes the response slow, to be called in another thread first: the generation of keys."""
        path = request.path.removesuffix("/")
        if path == TOKEN_PATH and not identity.has_signing_key():
            return identity.get_signing_key
        if path == ATTESTED_PATH and not attested.has_keys():
            return attested.make_keys
        return None

    def make_failure(self, path: str, status: int) -> Response:
        """Makes the error that the endpoint at this path is known to send with this status."""
        return make_failure(path, status)

    def list_secret_headers(self) -> frozenset[str]:
        """Returns nothing: the server knows the header of Azure Arc's challenge."""
        return frozenset()

    async def run(self) -> None:
        """Does nothing: everything happens because of a request."""

    def respond(self, request: Request) -> Response:
        """Returns the response to a request."""
        response = self._check_and_respond(request)
        if request.segments[:2] == ["metadata", "instance"]:
            # Observed on responses of /instance since 2026.
            response.headers.append(("x-ms-request-id", str(uuid.uuid4())))
        return response

    def _check_and_respond(self, request: Request) -> Response:
        # The order of these checks is assumed: it is not documented.
        path = request.path
        if self._keys is None and request.segments[0] != "metadata":
            return responses.make_front_end_not_found()
        if path.lower() in _CREDENTIAL_FLOW:
            return make_failure(path, 404)
        if "X-Forwarded-For" in request.headers:
            return make_failure(path, 400)
        if not self._has_metadata_header(request) and not _is_exempt_from_header(request):
            return _make_missing_header(path)
        # We assume that one trailing slash is accepted, here and on /instance.
        known = INSTANCE_PATH if request.segments[:2] == ["metadata", "instance"] else path.removesuffix("/")
        endpoint = self._endpoints.get(known)
        if endpoint is None:
            return self._make_unknown_path(request)
        if request.method not in SERVED[known]:
            response = _make_not_allowed(request)
            response.headers.append(("Allow", ", ".join(SERVED[known])))
            return response
        query = dict(request.parameters)
        if len(query) != len(request.parameters) or is_too_long(request):
            return _make_malformed(request)
        version = query.get("api-version", "")
        if endpoint.supported is not None and version not in endpoint.supported:
            return _make_bad_version(path, version)
        # Refused requests do not count against the limits. The limits are checked before the other parameters, so
        # that a throttled request has no effect.
        if self._keys is None and not (request.is_within_concurrency and self._limits.try_acquire(path)):
            return make_failure(path, 429)
        return endpoint.respond(request, query, version)

    def _has_metadata_header(self, request: Request) -> bool:
        value = request.headers.get("Metadata", "").strip()
        return (value.lower() if self._metadata_header == "any" else value) == "true"

    def _make_unknown_path(self, request: Request) -> Response:
        path = request.path
        if self._keys is None and is_load_balancer(path):
            return make_error(404, f'API isn\'t found: Path = "{path}", Method = "{request.method}"')
        if is_identity(path) and path != "/metadata/identity/":
            return make_failure(path, 404)
        return responses.make_unknown_path()

    def _get_versions(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        return make_json({"apiVersions": list(versions.PUBLISHED)})

    def _get_instance(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        form = query.get("format", "json")
        extended = query.get("extended", "false").lower()
        if form not in ("json", "text") or extended not in ("true", "false"):
            return make_failure(request.path, 400)
        whole: dict[str, Json] = self._machine.instance if self._keys is None else arc.build_instance(self._machine)
        since = instance.SINCE
        if extended == "true" and version >= instance.EXTENDED_SINCE and self._keys is None:
            whole = {**whole, "extended": self._machine.extended}
            since = instance.SINCE_EXTENDED
        segments = request.segments[2:]
        if segments and segments[-1] == "":
            segments = segments[:-1]
        try:
            node = instance.find_node(instance.select_fields(whole, version, since=since), segments)
        except instance.NoSuchNode:
            return responses.make_unknown_node()
        if form == "text":
            return make_text(instance.format_text(node))
        if instance.is_leaf(node):
            return responses.make_leaf_as_json()
        return make_json(node)

    def _get_attested_document(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        try:
            return make_json(self._attested.build_document(version, query.get("nonce")))
        except BadNonce:
            return make_failure(request.path, 400)

    def _get_token(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        try:
            return make_json(self._tokens.get_token(query))
        except TokenError as error:
            return error.response

    def _get_info(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        return self._tokens.get_info()

    def _get_arc_token(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        assert self._keys is not None
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return arc.make_challenge(self._keys)
        if not self._keys.redeem(authorization):
            return arc.make_invalid_key()
        used = {name: value for name, value in query.items() if self.arc_echo or name not in SELECTORS}
        machine_id = arc.get_resource_id(self._machine)
        try:
            token = self._tokens.get_token(used, machine_id=machine_id)
            selected, selector = self._tokens.select_identity(used)
        except TokenError as error:
            return error.response
        if selector is not None:
            token["object_id"] = selected.object_id
            token["msi_res_id"] = selected.resource_id or machine_id
        elif not self.arc_echo:
            del token["client_id"]
        return make_json(dict(sorted(token.items())))

    def _handle_events(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        delay = self._events.record_request()
        if request.method == "POST":
            try:
                self._events.approve_posted(request.body)
            except (BadStartRequest, UnknownEvent):
                return make_failure(request.path, 400)
        # The response to an approval is not documented. Like Microsoft's mock server, we return the changed document.
        response = make_json(self._events.build_document(version))
        if delay:
            response.delay = delay
            response.build_after_delay = lambda: make_json(self._events.build_document(version))
        return response

    def _get_amd_certification(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        # The response of other machines is not documented.
        if not self._machine.is_confidential:
            return responses.make_unknown_path()
        return make_json(trusted_hardware.make_certification())

    def _get_load_balancer(self, request: Request, query: Mapping[str, str], version: str) -> Response:
        form = query.get("format", "json")
        if form != "json":
            return _make_bad_parameter("format", form)
        load_balancer = self._machine.load_balancer
        if load_balancer is None:
            return make_error(
                404,
                "No load balancer metadata is found. Check if your virtual machine is using any nonbasic SKU load"
                " balancer and retry later.",
            )
        members = ("publicIpAddresses", "inboundRules", "outboundRules")
        return make_json({"loadbalancer": {member: load_balancer.get(member, []) for member in members}})


def _is_exempt_from_header(request: Request) -> bool:
    # The preview of scheduled events did not require the header. 2017-08-01 was the first version to require it.
    return request.path == EVENTS_PATH and ("api-version", "2017-03-01") in request.parameters


def _make_missing_header(path: str) -> Response:
    if is_identity(path):
        return make_identity_error(400, "invalid_request", "Required metadata header not specified")
    if path.startswith(EVENTS_PATH):
        return make_failure(path, 400)
    return responses.make_missing_header()


def _make_not_allowed(request: Request) -> Response:
    if is_load_balancer(request.path):
        return make_error(405, f'Http method isn\'t allowed: Path = "{request.path}", Method = "{request.method}"')
    return make_failure(request.path, 405)


def _make_malformed(request: Request) -> Response:
    if is_load_balancer(request.path):
        return make_error(400, "Unexpected request. Check the query parameters and retry.")
    return make_failure(request.path, 400)


def _make_bad_parameter(name: str, value: str) -> Response:
    message = f'Parameter value "{value}" isn\'t allowed for parameter "{name}". Fix the request and retry.'
    return make_error(400, message)


def _make_bad_version(path: str, version: str) -> Response:
    if is_identity(path):
        # The format is known, the text is not.
        description = "Required api-version parameter not specified or not supported"
        return make_identity_error(400, "invalid_request", description)
    if is_load_balancer(path):
        if version:
            return _make_bad_parameter("api-version", version)
        return make_error(400, 'Missing required parameter "api-version". Fix the request and retry.')
    if path.startswith(EVENTS_PATH):
        return make_failure(path, 400)
    return responses.make_bad_api_version()


def is_too_long(request: Request) -> bool:
    """Whether a part of the request is longer than the emulator accepts."""
    return (
        len(request.body) > MAX_BODY
        or any(len(name) > MAX_PARAMETER_KEY or len(value) > MAX_PARAMETER_VALUE for name, value in request.parameters)
        or any(len(value) > MAX_HEADER_VALUE for value in request.headers.values())
    )
