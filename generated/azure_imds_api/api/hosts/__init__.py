# Generated from openapi.yaml by `make`. Do not edit: change the specification or generator/, and run `make`.
"""Tokens on other hosts of managed identities. `identity.get_token` sends these operations there."""

from __future__ import annotations

from typing import Any

from ... import models
from .. import ErrorRule, Operation, Source
from . import app_service_get_token as _app_service_get_token
from . import cloud_shell_get_token as _cloud_shell_get_token
from . import machine_learning_get_token as _machine_learning_get_token
from . import service_fabric_get_token as _service_fabric_get_token
from . import workload_identity_get_token as _workload_identity_get_token

APP_SERVICE_GET_TOKEN: Operation[models.IdentityTokenResponse] = Operation(
    build=_app_service_get_token._get_kwargs,
    parse=_app_service_get_token._parse_response,
    id="AppService_GetToken",
    name="identity.get_token",
    method="GET",
    path="/msi/token",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2019-08-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "client_id": {"in": "query", "name": "client_id", "type": "string"},
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
        "mi_res_id": {"in": "query", "name": "mi_res_id", "type": "string"},
        "object_id": {"aliases": ["principal_id"], "in": "query", "name": "object_id", "type": "string"},
        "resource": {"in": "query", "name": "resource", "type": "string"},
        "x_identity_header": {"in": "header", "name": "X-IDENTITY-HEADER", "type": "string"},
    },
    required=["x_identity_header", "resource"],
    answer={
        "properties": {"access_token": {"minLength": 1, "type": "string"}},
        "required": ["access_token"],
        "type": "object",
    },
    exclusive=[["client_id", "object_id", "mi_res_id"]],
    echoed={"client_id": ["client_id"], "msi_res_id": ["mi_res_id", "msi_res_id"], "object_id": ["object_id"]},
    idempotent=True,
    error_members={
        "error": ["ErrorCode", "error/code"],
        "error_description": ["Message", "ExceptionMessage", "error/message"],
        "request_id": ["correlationId", "CorrelationId"],
    },
    errors=[
        ErrorRule(
            status=400,
            text="managed identity found",
            kind="IdentityNotFoundError",
            hint=(
                "Assign this identity under Identity of the app, and restart the app, or name "
                "an identity that the app has."
            ),
        ),
        ErrorRule(
            status=400,
            text="unsupportedapiversion",
            kind="BadRequestError",
            hint=("The platform of this app is older than api-version 2019-08-01. Old Linux Consumption plans are."),
        ),
        ErrorRule(
            status=401,
            hint=("IDENTITY_HEADER does not match. The platform changes it when it restarts the app."),
        ),
        ErrorRule(
            status=500,
            text="aadsts500011",
            kind="InvalidResourceError",
        ),
        ErrorRule(
            status=503,
            hint="The platform could not get a token from Entra. Try again.",
        ),
    ],
    sources=[
        Source(
            name="x_identity_header",
            variable="IDENTITY_HEADER",
            required=True,
            secret=True,
        ),
        Source(
            name="api_version",
            argument="api_version",
        ),
        Source(
            name="resource",
            argument="resource",
            required=True,
        ),
        Source(
            name="client_id",
            argument="client_id",
        ),
        Source(
            name="object_id",
            argument="object_id",
        ),
        Source(
            name="mi_res_id",
            argument="msi_res_id",
        ),
    ],
)

MACHINE_LEARNING_GET_TOKEN: Operation[models.IdentityTokenResponse] = Operation(
    build=_machine_learning_get_token._get_kwargs,
    parse=_machine_learning_get_token._parse_response,
    id="MachineLearning_GetToken",
    name="identity.get_token",
    method="GET",
    path="/MSI/auth",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2017-09-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}\\Z",
            "type": "string",
        },
        "clientid": {"in": "query", "name": "clientid", "type": "string"},
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
        "resource": {"in": "query", "name": "resource", "type": "string"},
        "secret": {"in": "header", "name": "secret", "type": "string"},
    },
    required=["secret", "resource"],
    answer={
        "properties": {"access_token": {"minLength": 1, "type": "string"}},
        "required": ["access_token"],
        "type": "object",
    },
    echoed={"client_id": ["client_id"]},
    idempotent=True,
    error_members={
        "error": ["error/code"],
        "error_description": ["Message", "error/message"],
        "request_id": ["correlationId"],
    },
    errors=[
        ErrorRule(
            status=404,
            text="status code: 404",
            kind="IdentityNotFoundError",
            hint=("Assign this identity to the compute or the app, or name an identity that it has by client_id."),
        ),
        ErrorRule(
            status=401,
            hint="MSI_SECRET does not match. The platform changes it when it restarts.",
        ),
        ErrorRule(
            status=400,
            text="clientid",
            kind="IdentityNotFoundError",
            hint="Name an identity of the compute by client_id.",
        ),
    ],
    sources=[
        Source(
            name="secret",
            variable="MSI_SECRET",
            required=True,
            secret=True,
        ),
        Source(
            name="api_version",
            argument="api_version",
        ),
        Source(
            name="resource",
            argument="resource",
            required=True,
        ),
        Source(
            name="clientid",
            argument="client_id",
            variable="DEFAULT_IDENTITY_CLIENT_ID",
        ),
    ],
)

CLOUD_SHELL_GET_TOKEN: Operation[models.IdentityTokenResponse] = Operation(
    build=_cloud_shell_get_token._get_kwargs,
    parse=_cloud_shell_get_token._parse_response,
    id="CloudShell_GetToken",
    name="identity.get_token",
    method="POST",
    path="/oauth2/token",
    success=[(200, 200)],
    rules={
        "body": {
            "in": "body",
            "name": "body",
            "properties": {"resource": {"type": "string"}},
            "required": ["resource"],
            "type": "object",
        },
        "metadata": {"enum": ["true"], "in": "header", "name": "Metadata", "type": "string"},
    },
    required=["body"],
    answer={
        "properties": {"access_token": {"minLength": 1, "type": "string"}},
        "required": ["access_token"],
        "type": "object",
    },
    idempotent=True,
    error_members={"error": ["error/code"], "error_description": ["error/message"]},
    errors=[
        ErrorRule(
            status=400,
            text="audiencenotsupported",
            kind="InvalidResourceError",
            hint=("Cloud Shell has tokens for a fixed list of resources, which the message contains."),
        ),
    ],
    sources=[
        Source(
            name="body",
            member="resource",
            argument="resource",
            required=True,
        ),
    ],
    body=models.CloudShellTokenRequest.from_dict,
)

SERVICE_FABRIC_GET_TOKEN: Operation[models.IdentityTokenResponse] = Operation(
    build=_service_fabric_get_token._get_kwargs,
    parse=_service_fabric_get_token._parse_response,
    id="ServiceFabric_GetToken",
    name="identity.get_token",
    method="GET",
    path="/metadata/identity/oauth2/token",
    success=[(200, 200)],
    rules={
        "api_version": {
            "example": "2020-05-01",
            "in": "query",
            "name": "api-version",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?\\Z",
            "type": "string",
        },
        "principal_id": {"in": "query", "name": "principalId", "type": "string"},
        "resource": {"in": "query", "name": "resource", "type": "string"},
        "secret": {"in": "header", "name": "Secret", "type": "string"},
    },
    required=["secret", "resource"],
    answer={
        "properties": {"access_token": {"minLength": 1, "type": "string"}},
        "required": ["access_token"],
        "type": "object",
    },
    idempotent=True,
    retry_waits={429: [1, 2, 4, 8, 16]},
    error_members={
        "error": ["error/code"],
        "error_description": ["error/message"],
        "request_id": ["error/correlationId"],
    },
    errors=[
        ErrorRule(
            status=404,
            text="managedidentitynotfound",
            kind="IdentityNotFoundError",
            hint="Assign the identity in the application manifest, and give it to the service.",
        ),
        ErrorRule(
            status=401,
            text="secretheadernotfound",
            kind="ForbiddenError",
            hint="IDENTITY_HEADER does not match. It is another one in each process.",
        ),
        ErrorRule(
            status=400,
            text="invalidapiversion",
            hint="Check IDENTITY_API_VERSION.",
        ),
    ],
    sources=[
        Source(
            name="secret",
            variable="IDENTITY_HEADER",
            required=True,
            secret=True,
        ),
        Source(
            name="api_version",
            argument="api_version",
            variable="IDENTITY_API_VERSION",
        ),
        Source(
            name="resource",
            argument="resource",
            required=True,
        ),
        Source(
            name="principal_id",
            argument="object_id",
        ),
    ],
)

WORKLOAD_IDENTITY_GET_TOKEN: Operation[models.IdentityTokenResponse] = Operation(
    build=_workload_identity_get_token._get_kwargs,
    parse=_workload_identity_get_token._parse_response,
    id="WorkloadIdentity_GetToken",
    name="identity.get_token",
    method="POST",
    path="/{tenant}/oauth2/v2.0/token",
    success=[(200, 200)],
    rules={
        "body": {
            "in": "body",
            "name": "body",
            "properties": {
                "client_assertion": {"type": "string"},
                "client_assertion_type": {"type": "string"},
                "client_id": {"type": "string"},
                "grant_type": {"type": "string"},
                "scope": {"type": "string"},
            },
            "required": ["client_id", "client_assertion", "scope", "grant_type", "client_assertion_type"],
            "type": "object",
        },
        "tenant": {"in": "path", "minLength": 1, "name": "tenant", "type": "string"},
    },
    required=["tenant", "body"],
    answer={
        "properties": {"access_token": {"minLength": 1, "type": "string"}},
        "required": ["access_token"],
        "type": "object",
    },
    idempotent=True,
    response_seconds=15,
    error_members={"error": ["error"], "error_description": ["error_description"], "request_id": ["correlation_id"]},
    errors=[
        ErrorRule(
            status=400,
            text="aadsts70021",
            kind="IdentityNotFoundError",
            hint=(
                "Add a federated credential for this service account to the identity. A new "
                "one takes a few minutes to take effect."
            ),
        ),
        ErrorRule(
            status=400,
            text="aadsts700016",
            kind="IdentityNotFoundError",
            hint="Check AZURE_CLIENT_ID and AZURE_TENANT_ID, or the client_id that you pass.",
        ),
        ErrorRule(
            status=400,
            text="aadsts500011",
            kind="InvalidResourceError",
        ),
        ErrorRule(
            status=401,
            text="aadsts700024",
            hint=(
                "The token in AZURE_FEDERATED_TOKEN_FILE has expired. Check that Kubernetes still replaces the file."
            ),
        ),
    ],
    sources=[
        Source(
            name="tenant",
            variable="AZURE_TENANT_ID",
            required=True,
        ),
        Source(
            name="body",
            member="client_id",
            argument="client_id",
            variable="AZURE_CLIENT_ID",
            required=True,
        ),
        Source(
            name="body",
            member="client_assertion",
            file="AZURE_FEDERATED_TOKEN_FILE",
            required=True,
            secret=True,
        ),
        Source(
            name="body",
            member="scope",
            argument="resource",
            suffix="/.default",
            required=True,
        ),
        Source(
            name="body",
            member="grant_type",
            default="client_credentials",
        ),
        Source(
            name="body",
            member="client_assertion_type",
            default="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
    ],
    body=models.WorkloadIdentityTokenRequest.from_dict,
)
