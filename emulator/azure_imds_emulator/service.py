"""The service's decisions: from a request to its answer, gate by gate. No network here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from . import answers, arc, instance, versions
from .answers import Answer, error, failure, identity_error, is_identity, is_load_balancer, ok, ok_text
from .attested import AttestedDocuments, BadNonce
from .events import BadStartRequest, EventSchedule, UnknownEvent
from .identity import SELECTORS, Refused, TokenService
from .limits import Limits
from .machine import Json, Machine
from .requests import Headers

EVENTS_PATH = "/metadata/scheduledevents"
INSTANCE_PATH = "/metadata/instance"
LOAD_BALANCER_PATH = "/metadata/loadbalancer"

# Lengths beyond which a request is refused. That there are limits is documented, the numbers are not.
MAX_BODY = 64 * 1024
MAX_PARAMETER_KEY = 256
MAX_PARAMETER_VALUE = 8 * 1024
MAX_HEADER_VALUE = 16 * 1024

#: The newer credential flow, which this host does not have. Its clients probe without the Metadata header and take a
#: 400 for a yes, so these paths are unknown before any gate.
_CREDENTIAL_FLOW = ("/metadata/identity/getplatformmetadata", "/metadata/identity/issuecredential")


@dataclass(slots=True)
class Request:
    """A request, read.

    Attributes:
        path: decoded.
        segments: the decoded parts of the path between slashes; a slash that was escaped stays inside its part.
        parameters: decoded query, in order, duplicates included.
        admitted: whether fewer requests were under way than the endpoint takes at once.
    """

    method: str
    path: str
    segments: list[str]
    parameters: list[tuple[str, str]]
    headers: Headers
    body: bytes
    admitted: bool = True

    @classmethod
    def read(cls, method: str, raw_path: str, query_string: str, headers: Headers, body: bytes) -> Request:
        """Take apart what came over the wire."""
        parameters = parse_qsl(query_string, keep_blank_values=True, errors="replace", max_num_fields=None)
        segments = [unquote(segment) for segment in raw_path.split("/")[1:]]
        return cls(method, unquote(raw_path), segments, parameters, headers, body)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    supported: frozenset[str] | None
    answer: Callable[[Request, Mapping[str, str], str], Answer]
    methods: tuple[str, ...] = ("GET",)


class Service:
    """One machine's metadata service.

    Args:
        keys: the challenge keys of the Arc agent; `None` on an Azure machine.
        arc_echo: whether the agent understands user-assigned identities and repeats them, as newer ones do; older
            ones ignore the selector and answer for the machine's own identity.
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
    ) -> None:
        self._machine = machine
        self._tokens = tokens
        self._events = events
        self._attested = attested
        self._limits = limits
        self._keys = keys
        self.arc_echo = arc_echo
        instances = _Endpoint(versions.INSTANCE, self._instance)
        self._endpoints: dict[str, _Endpoint] = {INSTANCE_PATH: instances}
        if keys is None:
            self._endpoints |= {
                "/metadata/versions": _Endpoint(None, self._versions),
                "/metadata/attested/document": _Endpoint(versions.ATTESTED, self._attested_document),
                arc.TOKEN_PATH: _Endpoint(versions.IDENTITY, self._token),
                "/metadata/identity/info": _Endpoint(versions.IDENTITY, self._info),
                EVENTS_PATH: _Endpoint(versions.SCHEDULED_EVENTS, self._scheduled_events, ("GET", "POST")),
                LOAD_BALANCER_PATH: _Endpoint(versions.LOAD_BALANCER, self._load_balancer),
            }
        else:
            self._endpoints[arc.TOKEN_PATH] = _Endpoint(versions.IDENTITY, self._arc_token)

    def answer(self, request: Request) -> Answer:
        """What the service says to the request."""
        answer = self._gates(request)
        if request.segments[:2] == ["metadata", "instance"]:
            # Seen on answers of /instance, of 2026 and later.
            answer.headers.append(("x-ms-request-id", str(uuid.uuid4())))
        return answer

    def _gates(self, request: Request) -> Answer:
        # The order is assumed: nobody has published the real one.
        path = request.path
        if path.lower() in _CREDENTIAL_FLOW:
            return failure(path, 404)
        if "X-Forwarded-For" in request.headers:
            return failure(path, 400)
        if request.headers.get("Metadata", "").strip().lower() != "true" and not _headerless(request):
            return _missing_header(path)
        endpoint = self._endpoint(request)
        if endpoint is None:
            return self._unknown_path(request)
        if request.method not in endpoint.methods:
            answer = _not_allowed(request)
            answer.headers.append(("Allow", ", ".join(endpoint.methods)))
            return answer
        query = dict(request.parameters)
        if len(query) != len(request.parameters) or _too_long(request):
            return _malformed(request)
        version = query.get("api-version", "")
        if endpoint.supported is not None and version not in endpoint.supported:
            return _bad_version(path, version)
        # Refused requests do not count. The limits stand before the parameters, so that a request which is turned away
        # has no effect.
        if self._keys is None and not (request.admitted and self._limits.take(path)):
            return failure(path, 429)
        return endpoint.answer(request, query, version)

    def _endpoint(self, request: Request) -> _Endpoint | None:
        if request.segments[:2] == ["metadata", "instance"]:
            return self._endpoints[INSTANCE_PATH]
        # One trailing slash is forgiven, here and on /instance: a guess.
        return self._endpoints.get(request.path.removesuffix("/"))

    def _unknown_path(self, request: Request) -> Answer:
        path = request.path
        if self._keys is None and is_load_balancer(path):
            return error(404, f'API isn\'t found: Path = "{path}", Method = "{request.method}"')
        if is_identity(path) and path != "/metadata/identity/":
            return failure(path, 404)
        return answers.unknown_path()

    def _versions(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        return ok({"apiVersions": list(versions.PUBLISHED)})

    def _instance(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        shape = query.get("format", "json")
        extended = query.get("extended", "false").lower()
        if shape not in ("json", "text") or extended not in ("true", "false"):
            return failure(request.path, 400)
        whole: dict[str, Json] = self._machine.instance if self._keys is None else arc.instance(self._machine)
        if extended == "true" and version >= instance.EXTENDED_SINCE and self._keys is None:
            whole = {**whole, "extended": self._machine.extended}
        segments = request.segments[2:]
        if segments and segments[-1] == "":
            segments = segments[:-1]
        try:
            node = instance.walk(instance.document(whole, version), segments)
        except instance.NoSuchNode:
            return answers.unknown_node()
        if shape == "text":
            return ok_text(instance.text(node))
        if instance.is_leaf(node):
            return failure(request.path, 400)
        return ok(node)

    def _attested_document(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        try:
            return ok(self._attested.document(version, query.get("nonce")))
        except BadNonce:
            return failure(request.path, 400)

    def _token(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        try:
            return ok(self._tokens.token(query))
        except Refused as refused:
            return refused.answer

    def _info(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        return self._tokens.info()

    def _arc_token(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        assert self._keys is not None
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return arc.challenge(self._keys)
        if not self._keys.redeem(authorization):
            return arc.wrong_key()
        asked = {name: value for name, value in query.items() if self.arc_echo or name not in SELECTORS}
        machine_id = arc.machine_id(self._machine)
        try:
            token = self._tokens.token(asked, machine_id=machine_id)
            identity, selector = self._tokens.select(asked)
        except Refused as refused:
            return refused.answer
        if selector is not None:
            token["object_id"] = identity.object_id
            token["msi_res_id"] = identity.resource_id or machine_id
        elif not self.arc_echo:
            del token["client_id"]
        return ok(dict(sorted(token.items())))

    def _scheduled_events(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        delay = self._events.asked()
        if request.method == "POST":
            try:
                self._events.start_requested(request.body)
            except (BadStartRequest, UnknownEvent):
                return failure(request.path, 400)
        # The answer to an approval is not documented: the document as it now stands, as Microsoft's mock server has it.
        answer = ok(self._events.document(version))
        if delay:
            answer.delay, answer.late = delay, lambda: ok(self._events.document(version))
        return answer

    def _load_balancer(self, request: Request, query: Mapping[str, str], version: str) -> Answer:
        shape = query.get("format", "json")
        if shape != "json":
            return _bad_parameter("format", shape)
        found = self._machine.load_balancer
        if found is None:
            return error(
                404,
                "No load balancer metadata is found. Check if your virtual machine is using any nonbasic SKU load"
                " balancer and retry later.",
            )
        members = ("publicIpAddresses", "inboundRules", "outboundRules")
        return ok({"loadbalancer": {member: found.get(member, []) for member in members}})


def _headerless(request: Request) -> bool:
    # The preview of scheduled events did not ask for the header; 2017-08-01 was the first to enforce it.
    return request.path == EVENTS_PATH and ("api-version", "2017-03-01") in request.parameters


def _missing_header(path: str) -> Answer:
    if is_identity(path):
        return identity_error(400, "invalid_request", "Required metadata header not specified")
    if path.startswith(EVENTS_PATH):
        return failure(path, 400)
    return error(400, "Bad request. Required metadata header not specified")


def _not_allowed(request: Request) -> Answer:
    if is_load_balancer(request.path):
        return error(405, f'Http method isn\'t allowed: Path = "{request.path}", Method = "{request.method}"')
    return failure(request.path, 405)


def _malformed(request: Request) -> Answer:
    if is_load_balancer(request.path):
        return error(400, "Unexpected request. Check the query parameters and retry.")
    return failure(request.path, 400)


def _bad_parameter(name: str, value: str) -> Answer:
    return error(400, f'Parameter value "{value}" isn\'t allowed for parameter "{name}". Fix the request and retry.')


def _bad_version(path: str, version: str) -> Answer:
    if is_identity(path):
        # Only identity's envelope is known to be used here, not the words.
        return identity_error(400, "invalid_request", "Required api-version parameter not specified or not supported")
    if is_load_balancer(path):
        if version:
            return _bad_parameter("api-version", version)
        return error(400, 'Missing required parameter "api-version". Fix the request and retry.')
    if path.startswith(EVENTS_PATH):
        return failure(path, 400)
    return answers.bad_api_version()


def _too_long(request: Request) -> bool:
    return (
        len(request.body) > MAX_BODY
        or any(len(name) > MAX_PARAMETER_KEY or len(value) > MAX_PARAMETER_VALUE for name, value in request.parameters)
        or any(len(value) > MAX_HEADER_VALUE for value in request.headers.values())
    )
