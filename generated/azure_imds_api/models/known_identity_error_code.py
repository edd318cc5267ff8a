# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
from typing import Literal, cast

KnownIdentityErrorCode = Literal[
    "access_denied",
    "bad_request",
    "forbidden",
    "invalid_request",
    "invalid_resource",
    "invalid_scope",
    "method_not_allowed",
    "not_found",
    "server_error",
    "service_unavailable",
    "too_many_requests",
    "unauthorized_client",
    "unknown",
    "unsupported_response_type",
]

KNOWN_IDENTITY_ERROR_CODE_VALUES: set[KnownIdentityErrorCode] = {
    "access_denied",
    "bad_request",
    "forbidden",
    "invalid_request",
    "invalid_resource",
    "invalid_scope",
    "method_not_allowed",
    "not_found",
    "server_error",
    "service_unavailable",
    "too_many_requests",
    "unauthorized_client",
    "unknown",
    "unsupported_response_type",
}


def check_known_identity_error_code(value: str) -> KnownIdentityErrorCode:
    return cast(KnownIdentityErrorCode, value)
