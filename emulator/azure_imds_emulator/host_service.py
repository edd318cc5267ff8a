"""The token endpoint of any host: from a request to its response. It does no I/O, except for its token file."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs

from . import identity
from .clock import Clock
from .expiry import format_like
from .hosts import RESOURCE, SELECTORS, Host, HostError, Parameter, TokenOperation
from .identity import TokenError, TokenService
from .machine import Json, Machine, ManagedIdentity
from .responses import JSON_TYPE, TEXT_TYPE, Response, encode_json, make_json
from .service import Request, is_too_long

#: Lifetime of the token of a service account in seconds, and when Kubernetes replaces its file.
FILE_LIFETIME = 3600
FILE_ROTATION = 0.8 * FILE_LIFETIME

#: The ends of three URLs of a tenant: of the token endpoint, of the document that describes it, and of the public keys.
_TOKEN_END = "/oauth2/v2.0/token"
_DISCOVERY_END = "/v2.0/.well-known/openid-configuration"
_KEYS_END = "/discovery/v2.0/keys"
_FORM_TYPE = "application/x-www-form-urlencoded"
_FALLBACK_STATUS = {"secret": 401}


class HostService:
    """The token endpoint of a host, with its secrets.

    Args:
        example: the name of the successful response whose form is used. Default: the first one.
        folder: the folder for files that clients read.

    Raises:
        ValueError: the host has no such example, or one with an unknown form of time.
    """

    def __init__(
        self,
        host: Host,
        machine: Machine,
        tokens: TokenService,
        clock: Clock,
        *,
        folder: Path,
        example: str | None = None,
    ) -> None:
        assert host.operation is not None
        self.host = host
        self._operation = host.operation
        self._machine = machine
        self._tokens = tokens
        self._clock = clock
        self._folder = folder
        self._example = _choose_example(host.name, host.operation, example)
        #: The accepted secrets by name of the parameter, and what the variables for them contain.
        self._secrets: dict[str, str] = {}
        self._secret_variables: dict[str, str] = {}
        self._files_expire = 0.0
        self.rotate_secrets()

    @property
    def has_secrets(self) -> bool:
        """Whether requests need a secret."""
        return bool(self._secrets)

    def rotate_secrets(self) -> None:
        """Replaces the secret, and the content of the token file. The old ones are refused from now on."""
        for parameter in self._operation.parameters:
            if parameter.is_guarded and parameter.variable:
                secret = secrets.token_hex(16).upper()
                self._secrets[parameter.name] = self._secret_variables[parameter.variable] = secret
        self.rotate_files()

    def rotate_files(self) -> None:
        """Replaces the content of the token file."""
        self._files_expire = self._clock.time() + FILE_LIFETIME
        for parameter in self._operation.parameters:
            if parameter.file:
                path = self._folder / parameter.name
                token = self._make_service_account_token()
                fresh = path.with_name(f"{path.name}.new")
                fresh.touch(mode=0o600)
                fresh.write_text(token, encoding="ascii")
                fresh.replace(path)
                self._secrets[parameter.name] = token
                self._secret_variables[parameter.file] = str(path)

    async def run(self) -> None:
        """Replaces the token file from time to time, as Kubernetes does."""
        while any(parameter.file for parameter in self._operation.parameters):
            await self._clock.sleep(FILE_ROTATION)
            self.rotate_files()

    def make_environment(self, endpoint: str) -> dict[str, str]:
        """Returns the environment variables of a program on this host."""
        values = dict(self._secret_variables)
        for parameter in self._operation.parameters:
            if parameter.variable and (value := self._choose_value(parameter)):
                values[parameter.variable] = value
        return self.host.make_environment(endpoint, values)

    def list_secret_headers(self) -> frozenset[str]:
        """Returns the names of headers with a secret, in lower case."""
        return frozenset(p.name.lower() for p in self._operation.parameters if p.place == "header" and p.is_secret)

    def find_slow_step(self, request: Request) -> Callable[[], object] | None:
        """Returns what makes the response slow, to be called in another thread first: the generation of keys."""
        return None if identity.has_signing_key() else identity.get_signing_key

    def make_failure(self, path: str, status: int) -> Response:
        """Makes the error that the host is known to send with this status."""
        errors = [error for error in self._operation.errors if error.status == status]
        errors.sort(key=lambda error: error.when is not None)
        return _make_error(errors[0]) if errors else Response(status)

    def respond(self, request: Request) -> Response:
        """Returns the response to a request."""
        for end, make_document in ((_DISCOVERY_END, self._describe_authority), (_KEYS_END, self._list_keys)):
            tenant = request.path.removesuffix(end)
            if tenant != request.path and self._operation.match_path(tenant + _TOKEN_END) is not None:
                return make_json(make_document(f"{self.host.scheme}://{request.headers.get('Host', '')}{tenant}"))
        in_path = self._operation.match_path(request.path)
        if in_path is None:
            return Response(404)
        if request.method != self._operation.method:
            response = self.make_failure(request.path, 405)
            response.headers.append(("Allow", self._operation.method))
            return response
        sent = self._read_values(request, in_path)
        if is_too_long(request):
            return Response(400)
        problem = self._find_problem(sent)
        if problem is not None:
            return self._refuse(problem)
        resource = self._find_resource(sent)
        if resource is None or self._tokens.is_unknown(resource):
            return self._refuse("resource")
        selected = self._select_identity(sent)
        if selected is None:
            return self._refuse("identity")
        return make_json(self._build_body(selected, resource, sent))

    def _describe_authority(self, base: str) -> dict[str, Json]:
        """Returns the document that some clients of an authority read first."""
        return {
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "issuer": f"{base}/v2.0",
            "jwks_uri": f"{base}{_KEYS_END}",
            "token_endpoint": f"{base}{_TOKEN_END}",
        }

    def _list_keys(self, base: str) -> dict[str, Json]:
        return identity.get_signing_key().to_jwks()

    def _read_values(self, request: Request, in_path: Mapping[str, str]) -> dict[str, str]:
        """Returns the parameters that the contract knows. Others are ignored, as the host does."""
        query = dict(request.parameters)
        form: dict[str, list[str]] = {}
        if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _FORM_TYPE:
            form = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
        sent: dict[str, str] = {}
        for parameter in self._operation.parameters:
            name = parameter.name
            if parameter.place == "header":
                value = request.headers.get(name)
            elif parameter.place == "form":
                value = form[name][-1] if name in form else None
            else:
                value = (in_path if parameter.place == "path" else query).get(name)
            if value is not None:
                sent[name] = value
        return sent

    def _find_problem(self, sent: Mapping[str, str]) -> str | None:
        """Returns what is missing or wrong, as `HostError.when` calls it; `None` if nothing is.

        The order of these checks is assumed: it is not documented.
        """
        parameters = self._operation.parameters
        for parameter in parameters:
            if parameter.is_guarded:
                is_expired = parameter.file is not None and self._clock.time() >= self._files_expire
                if is_expired or sent.get(parameter.name) != self._secrets[parameter.name]:
                    return "secret"
        for parameter in parameters:
            if parameter.is_version and sent.get(parameter.name) not in parameter.values:
                return "version"
        for parameter in parameters:
            if parameter.is_constant and sent.get(parameter.name) != str(parameter.default):
                return "constant"
            own = self._choose_value(parameter) if parameter.place == "path" and parameter.variable else None
            if own is not None and sent[parameter.name].lower() != own.lower():
                return "identity"
        return None

    def _find_resource(self, sent: Mapping[str, str]) -> str | None:
        """Returns the resource; `None` if it is missing, or has not the suffix that the host requires."""
        for parameter in self._operation.parameters:
            if parameter.argument == RESOURCE:
                value = sent.get(parameter.name, "")
                return value.removesuffix(parameter.suffix) if value.endswith(parameter.suffix) and value else None
        return None

    def _select_identity(self, sent: Mapping[str, str]) -> ManagedIdentity | None:
        """Returns the identity of the token; `None` if the selectors match none."""
        selectors = [parameter for parameter in self._operation.parameters if parameter.argument in SELECTORS]
        if not selectors:
            # The identity of a user, which does not depend on the machine.
            return self._find_default_identity() or ManagedIdentity(
                "00000000-0000-0000-0000-000000000003", "00000000-0000-0000-0000-000000000004"
            )
        values = {parameter.argument: sent[parameter.name] for parameter in selectors if parameter.name in sent}
        if any(parameter.required and parameter.name not in sent for parameter in selectors):
            return None
        try:
            return self._tokens.select_identity(values)[0]
        except TokenError:
            return None

    def _build_body(self, selected: ManagedIdentity, resource: str, sent: Mapping[str, str]) -> dict[str, Json]:
        """Returns the members of the example with the values of a new token."""
        token = self._tokens.get_or_issue(selected, resource)
        texts = {
            "access_token": token.text,
            "client_id": selected.client_id,
            "object_id": selected.object_id,
            "resource": resource,
        }
        numbers = {
            "expires_in": token.get_remaining(self._clock),
            "expires_on": token.expires_on,
            "ext_expires_in": token.get_remaining(self._clock),
            "not_before": token.not_before,
        }
        body: dict[str, Json] = {}
        for name, example in self._example.items():
            if name in numbers:
                body[name] = format_like(example, numbers[name])
            else:
                body[name] = texts.get(name, example)
        for name, members in self._operation.echoed.items():
            if name in sent:
                body[next((member for member in members if member in body), members[0])] = sent[name]
        return body

    def _choose_value(self, parameter: Parameter) -> str | None:
        """Returns what the host's variable for a parameter contains; `None` for secrets and unset variables."""
        if parameter.is_guarded:
            return None
        if parameter.argument in SELECTORS:
            default = self._find_default_identity()
            return None if default is None else self._tokens.get_id(default, parameter.argument)
        if parameter.place == "path" and "tenant" in parameter.name.lower():
            return self._machine.tenant_id
        return str(parameter.values[0]) if parameter.values else "azure-imds-emulator"

    def _find_default_identity(self) -> ManagedIdentity | None:
        return self._machine.system_assigned or next(iter(self._machine.user_assigned), None)

    def _refuse(self, problem: str) -> Response:
        for error in self._operation.errors:
            if error.when == problem:
                return _make_error(error)
        return Response(_FALLBACK_STATUS.get(problem, 400))

    def _make_service_account_token(self) -> str:
        now = int(self._clock.time())
        header = {"alg": "RS256", "kid": "azure-imds-emulator"}
        claims = {
            "aud": ["api://AzureADTokenExchange"],
            "exp": now + FILE_LIFETIME,
            "iat": now,
            "iss": "https://oidc.example.invalid/",
            "nbf": now,
            "sub": "system:serviceaccount:default:example",
        }
        parts = [json.dumps(header).encode(), json.dumps(claims).encode(), secrets.token_bytes(256)]
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _choose_example(host: str, operation: TokenOperation, name: str | None) -> dict[str, Json]:
    examples = operation.examples
    if name is not None and name not in examples:
        raise ValueError(f"token_example must be one of {', '.join(examples)} on {host}, got {name!r}")
    if not examples:
        raise ValueError(f"host {host}: the contract has no example of its response")
    example = examples[name] if name is not None else next(iter(examples.values()))
    format_like(example.get("expires_on", 0), 0)
    return example


def _make_error(error: HostError) -> Response:
    if isinstance(error.body, str):
        return Response(error.status, error.body.encode(), [("Content-Type", TEXT_TYPE)] if error.body else [])
    return Response(error.status, encode_json(error.body), [("Content-Type", JSON_TYPE)])
