"""The contract describes all of IMDS. Its models parse every document that IMDS is known to send."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import attrs
import pytest
from jsonschema import Draft202012Validator

from azure_imds_api import models
from azure_imds_emulator.operations import is_served
from generator.names import python_name
from generator.samples import _sample
from generator.specification import Operation, Specification
from support import EXAMPLES, ROOT, example

SPEC = Specification.load(ROOT / "openapi.yaml")
COMPONENTS: dict[str, dict[str, Any]] = SPEC.document["components"]
OPERATIONS: dict[str, Operation] = {operation.id: operation for operation in SPEC.operations()}
TOKEN = OPERATIONS["Identity_GetToken"]
#: The operations that this project knows. A document from elsewhere can have more, which it need not describe.
SERVED = [o for o in OPERATIONS.values() if "x-stands-for" in o.data or is_served(o.method, o.path)]
PARAMETERS = [
    pytest.param(operation, parameter, id=f"{operation.id}-{parameter['name']}")
    for operation in SERVED
    for _, parameter in SPEC.parameters(operation)
]


def named_schemas(value: Any, found: set[str]) -> set[str]:
    """The names of the schemas that a part of the document refers to, added to those that are found."""
    if isinstance(value, dict) and "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        if name not in found:
            found |= {name} if "/schemas/" in value["$ref"] else set()
            named_schemas(SPEC.target(value["$ref"])[1], found)
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        named_schemas(part, found)
    return found


#: The schemas, without those that only other operations use.
SCHEMAS = COMPONENTS["schemas"].keys() - (
    named_schemas([o.data for o in OPERATIONS.values() if o not in SERVED], set())
    - named_schemas([o.data for o in SERVED], set())
)

#: The model of each example document. Every file is listed here or below.
ANSWERS = {
    "attested-document": "AttestedDocument",
    "attested-payload": "AttestedData",
    "identity-info": "IdentityInfoResponse",
    "instance": "Instance",
    "instance-2018-10-01": "Instance",
    "instance-2025-04-07": "Instance",
    "instance-extended": "Instance",
    "instance-minimal-imageless": "Instance",
    "loadbalancer": "LoadBalancerResponse",
    "loadbalancer-ipv6-brackets": "LoadBalancerResponse",
    "scheduledevents-2017-08-01": "ScheduledEvents",
    "scheduledevents-2019-04-01": "ScheduledEvents",
    "scheduledevents-2019-08-01": "ScheduledEvents",
    "scheduledevents-all-types": "ScheduledEvents",
    "scheduledevents-completed": "ScheduledEvents",
    "scheduledevents-empty": "ScheduledEvents",
    "scheduledevents-scheduled": "ScheduledEvents",
    "scheduledevents-start-request": "StartEventsRequest",
    "scheduledevents-started": "ScheduledEvents",
    "token": "IdentityTokenResponse",
    "token-arc-user-assigned": "IdentityTokenResponse",
    "token-doc-shape": "IdentityTokenResponse",
    "token-user-assigned-msi_res_id": "IdentityTokenResponse",
    "token-user-assigned-object_id": "IdentityTokenResponse",
    "versions": "VersionsResponse",
}
ERRORS = {
    "errors-identity": "IdentityErrorResponse",
    "errors-instance": "ErrorResponse",
    "errors-loadbalancer": "ErrorResponse",
    "errors-scheduledevents": "ErrorResponse",
}
NO_BODIES_OF_IMDS = {
    "errors-arc": "a status and a header, no body",
    "errors-host-proxy": "text of others in the place of IMDS",
    "errors-missing-api-version": "one body of errors-instance, by itself",
    "token-claims": "what is inside a token, which stays opaque",
}

ERROR_BODIES = [
    pytest.param(model, entry["body"], id=f"{file}-{entry['name']}")
    for file, model in ERRORS.items()
    for entry in example(file)
]


def left_over(value: Any, place: str = "") -> Iterator[str]:
    """Paths of members that are in no attribute of a model, at any depth."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from left_over(item, f"{place}[{index}]")
    elif attrs.has(type(value)):
        for attribute in attrs.fields(type(value)):
            member = getattr(value, attribute.name)
            if attribute.name == "additional_properties":
                yield from (f"{place}.{name}" for name in member)
            else:
                yield from left_over(member, f"{place}.{attribute.name}")


def parsed(model: str, document: Any) -> Any:
    return getattr(models, model).from_dict(document)


def fits(document: Any, schema: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator({**SPEC.resolve(schema), "components": COMPONENTS})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_every_example_document_is_listed() -> None:
    listed = {*ANSWERS, *ERRORS, *NO_BODIES_OF_IMDS}
    assert {file.stem for file in EXAMPLES.glob("*.json")} == listed


@pytest.mark.parametrize(("file", "model"), ANSWERS.items(), ids=str)
def test_a_success_has_no_additional_properties(file: str, model: str) -> None:
    assert list(left_over(parsed(model, example(file)))) == []


@pytest.mark.parametrize(("file", "model"), ANSWERS.items(), ids=str)
def test_a_model_returns_the_document_unchanged(file: str, model: str) -> None:
    assert parsed(model, example(file)).to_dict() == example(file)


@pytest.mark.parametrize(("file", "model"), ANSWERS.items(), ids=str)
def test_a_success_fits_its_schema(file: str, model: str) -> None:
    assert fits(example(file), COMPONENTS["schemas"][model]) == []


@pytest.mark.parametrize(("model", "body"), ERROR_BODIES)
def test_an_error_body_has_no_additional_properties(model: str, body: Any) -> None:
    assert list(left_over(parsed(model, body))) == []


@pytest.mark.parametrize(("model", "body"), ERROR_BODIES)
def test_an_error_model_returns_the_body_unchanged(model: str, body: Any) -> None:
    assert parsed(model, body).to_dict() == body


@pytest.mark.parametrize(("model", "body"), ERROR_BODIES)
def test_an_error_body_fits_its_schema(model: str, body: Any) -> None:
    assert fits(body, COMPONENTS["schemas"][model]) == []


@pytest.mark.parametrize("file", ERRORS)
def test_documented_error_bodies_are_examples_of_the_contract(file: str) -> None:
    documented = [entry["body"] for entry in example(file) if "body unverified" not in entry["evidence"]]
    written = [entry["value"] for entry in COMPONENTS["examples"].values()]
    assert [body for body in documented if body not in written] == []


def contract_examples() -> Iterator[Any]:
    """Every example in openapi.yaml, with its schema."""
    for node in SPEC.nodes():
        if node.is_schema or "schema" not in node.data:
            continue
        place = " > ".join(map(str, node.place))
        if "example" in node.data:
            yield pytest.param(node.data["schema"], node.data["example"], id=place)
        for name, entry in node.data.get("examples", {}).items():
            yield pytest.param(node.data["schema"], SPEC.resolve(entry)["value"], id=f"{place} > {name}")


EXAMPLES_IN_PLACE = list(contract_examples())
DOCUMENTS_IN_PLACE = [entry for entry in EXAMPLES_IN_PLACE if isinstance(entry.values[1], dict)]


@pytest.mark.parametrize(("schema", "value"), EXAMPLES_IN_PLACE)
def test_an_example_in_the_contract_fits_its_schema(schema: dict[str, Any], value: Any) -> None:
    assert fits(value, schema) == []


@pytest.mark.parametrize(("schema", "value"), DOCUMENTS_IN_PLACE)
def test_an_example_in_the_contract_fits_its_model(schema: dict[str, Any], value: Any) -> None:
    model = parsed(schema["$ref"].rpartition("/")[2], value)
    assert (list(left_over(model)), model.to_dict()) == ([], value)


def test_every_example_of_the_contract_is_used() -> None:
    used = {node.data.get("$ref") for node in SPEC.nodes()}
    assert [name for name in COMPONENTS["examples"] if f"#/components/examples/{name}" not in used] == []


def parameter(name: str, operation: Operation = TOKEN) -> dict[str, Any]:
    (found,) = (p for _, p in SPEC.parameters(operation) if p["name"] == name)
    return found


def schema_of(name: str, operation: Operation = TOKEN) -> dict[str, Any]:
    resolved: dict[str, Any] = SPEC.resolve(parameter(name, operation)["schema"])
    return resolved


def response_schema(operation: Operation, code: str) -> str:
    response = SPEC.resolve(operation.data["responses"][code])
    reference: str = response["content"]["application/json"]["schema"]["$ref"]
    return reference.rpartition("/")[2]


def test_the_path_of_a_token_is_identity_oauth2_token() -> None:
    assert (TOKEN.method, TOKEN.path) == ("get", "/identity/oauth2/token")


def test_the_metadata_header_is_required() -> None:
    assert (parameter("Metadata")["in"], parameter("Metadata")["required"]) == ("header", True)


def test_the_metadata_header_is_always_true() -> None:
    assert (schema_of("Metadata")["default"], schema_of("Metadata")["enum"]) == ("true", ["true"])


def test_resource_is_required() -> None:
    assert (parameter("resource")["in"], parameter("resource")["required"]) == ("query", True)


def test_resource_has_no_default() -> None:
    assert "default" not in schema_of("resource")


def test_the_api_version_of_identity_is_2018_10_01_by_default() -> None:
    assert (parameter("api-version")["in"], schema_of("api-version")["default"]) == ("query", "2018-10-01")


@pytest.mark.parametrize("name", ["client_id", "object_id", "msi_res_id", "authority", "bypass_cache"])
def test_selectors_authority_and_bypass_cache_are_optional(name: str) -> None:
    assert (parameter(name)["in"], parameter(name).get("required", False)) == ("query", False)


def test_the_selectors_exclude_each_other() -> None:
    assert TOKEN.data["x-mutually-exclusive"] == [["client_id", "object_id", "msi_res_id"]]


def test_bypass_cache_can_only_be_true() -> None:
    assert schema_of("bypass_cache")["enum"] == ["true"]


def test_a_token_answer_is_an_identity_token_response() -> None:
    assert response_schema(TOKEN, "200") == "IdentityTokenResponse"


def test_every_other_status_of_a_token_request_is_an_identity_error_response() -> None:
    assert (set(TOKEN.data["responses"]), response_schema(TOKEN, "default")) == (
        {"200", "default"},
        "IdentityErrorResponse",
    )


def test_an_identity_error_may_have_www_authenticate() -> None:
    assert "Www-Authenticate" in SPEC.resolve(TOKEN.data["responses"]["default"])["headers"]


def test_basic_auth_is_optional_for_a_token() -> None:
    assert TOKEN.data["security"] == [{}, {"basic_auth": []}]


def test_basic_auth_is_http_basic() -> None:
    scheme = COMPONENTS["securitySchemes"]["basic_auth"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "basic")


def test_the_first_server_is_azures_link_local_address() -> None:
    assert SPEC.document["servers"][0]["url"] == "http://169.254.169.254/metadata"


def test_the_second_server_is_the_arc_agent() -> None:
    arc = SPEC.document["servers"][1]
    assert (arc["x-name"], arc["url"], arc["x-api-version"]) == ("arc", "http://localhost:40342/metadata", "2020-06-01")


@pytest.mark.parametrize(
    ("operation", "method", "path", "tag"),
    [
        ("Versions_GetVersions", "get", "/versions", "versions"),
        ("Instances_GetMetadata", "get", "/instance", "instances"),
        ("Attested_GetDocument", "get", "/attested/document", "attested"),
        ("Identity_GetToken", "get", "/identity/oauth2/token", "identity"),
        ("Identity_GetInfo", "get", "/identity/info", "identity"),
        ("ScheduledEvents_GetEvents", "get", "/scheduledevents", "scheduled_events"),
        ("ScheduledEvents_StartEvents", "post", "/scheduledevents", "scheduled_events"),
        ("LoadBalancer_GetMetadata", "get", "/loadbalancer", "load_balancer"),
    ],
)
def test_the_contract_has_every_operation_of_imds(operation: str, method: str, path: str, tag: str) -> None:
    found = OPERATIONS[operation]
    assert (found.method, found.path, found.tag) == (method, path, tag)


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        ("Instances_GetMetadata", {"format", "extended"}),
        ("Attested_GetDocument", {"nonce"}),
        ("ScheduledEvents_GetEvents", set()),
        ("LoadBalancer_GetMetadata", set()),
        ("Identity_GetInfo", set()),
    ],
)
def test_operations_have_their_parameters(operation: str, names: set[str]) -> None:
    found = {p["name"] for _, p in SPEC.parameters(OPERATIONS[operation])}
    assert found == {"Metadata", "api-version"} | names


@pytest.mark.parametrize("operation", SERVED, ids=lambda o: o.id)
def test_an_operation_has_a_summary_and_a_description(operation: Operation) -> None:
    assert operation.data["summary"].strip()
    assert operation.data["description"].strip()


@pytest.mark.parametrize("operation", SERVED, ids=lambda o: o.id)
def test_an_operation_has_an_example(operation: Operation) -> None:
    bodies = [operation.data.get("requestBody", {}), *operation.data["responses"].values()]
    media = [m for body in bodies for m in SPEC.resolve(body).get("content", {}).values()]
    assert any(m.get("examples") for m in media)


@pytest.mark.parametrize("operation", SERVED, ids=lambda o: o.id)
def test_an_operation_describes_its_errors(operation: Operation) -> None:
    if "x-stands-for" in operation.data:  # its errors have bodies of several kinds
        assert all("body" in error or error.get("hint") for error in operation.data["x-errors"])
    else:
        assert response_schema(operation, "default") in ("ErrorResponse", "IdentityErrorResponse")


@pytest.mark.parametrize(("operation", "data"), PARAMETERS)
def test_a_parameter_is_described_in_its_schema(operation: Operation, data: dict[str, Any]) -> None:
    assert SPEC.resolve(data["schema"])["description"].strip()


@pytest.mark.parametrize("model", sorted(SCHEMAS))
def test_a_schema_and_each_of_its_properties_is_described(model: str) -> None:
    schema = COMPONENTS["schemas"][model]
    described = {"": schema, **schema.get("properties", {})}
    assert [name for name, part in described.items() if not SPEC.resolve(part)["description"].strip()] == []


OPEN_VALUES = [
    pytest.param(model, member, id=f"{model}-{member}")
    for model, definition in COMPONENTS["schemas"].items()
    for member, schema in definition.get("properties", {}).items()
    if any("enum" in SPEC.resolve(part) for part in schema.get("anyOf", ()))
]
#: Without those of schemas that an operation contains, which have no name in the contract.
MODELS = [name for name in models.__all__ if attrs.has(getattr(models, name)) and name in COMPONENTS["schemas"]]


def with_required(model: str, **members: Any) -> dict[str, Any]:
    """A minimal document of a model, with the given members added."""
    return {**_sample(SPEC, COMPONENTS["schemas"][model], "value", 0, full=False), **members}


def test_the_known_event_types_are_a_public_literal() -> None:
    assert "KnownEventType" in models.__all__
    assert set(get_args(models.KnownEventType)) == {"Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"}


@pytest.mark.parametrize(("model", "member"), OPEN_VALUES)
def test_an_unknown_value_of_an_enumeration_is_accepted(model: str, member: str) -> None:
    assert getattr(parsed(model, with_required(model, **{member: "Unheard-of"})), python_name(member)) == "Unheard-of"


@pytest.mark.parametrize(("model", "member"), OPEN_VALUES)
def test_an_unknown_value_of_an_enumeration_is_kept(model: str, member: str) -> None:
    document = with_required(model, **{member: "Unheard-of"})
    assert parsed(model, document).to_dict() == document


#: The models of documents in which absent members read as empty: those with the extension, and all below them.
READ_EMPTY = {name for name, schema in COMPONENTS["schemas"].items() if "x-absent" in schema}
while (
    below := {
        reference.rpartition("/")[2]
        for name in READ_EMPTY
        for reference in re.findall(r"#/components/schemas/\w+", json.dumps(COMPONENTS["schemas"][name]))
    }
    - READ_EMPTY
):
    READ_EMPTY |= below


def absent(model: str, attribute: str) -> Any:
    """What an absent member reads as."""
    members = COMPONENTS["schemas"][model]["properties"]
    schema = SPEC.resolve(next(schema for name, schema in members.items() if python_name(name) == attribute))
    if model not in READ_EMPTY or schema.get("type") in ("integer", "boolean"):
        return None
    if schema.get("type") == "array":
        return []
    if schema.get("type") != "object":
        return ""
    reference = next(member["$ref"] for name, member in members.items() if python_name(name) == attribute)
    return parsed(reference.rpartition("/")[2], {})


@pytest.mark.parametrize("model", MODELS)
def test_an_absent_optional_member_reads_as_the_contract_states(model: str) -> None:
    required = {python_name(name) for name in COMPONENTS["schemas"][model].get("required", ())}
    empty = parsed(model, with_required(model))
    optional = {a.name for a in attrs.fields(type(empty))} - required - {"additional_properties"}
    assert {name: getattr(empty, name) for name in optional} == {name: absent(model, name) for name in optional}


@pytest.mark.parametrize("model", MODELS)
def test_a_member_that_the_contract_does_not_know_is_kept(model: str) -> None:
    assert parsed(model, with_required(model, new="shiny"))["new"] == "shiny"


@pytest.mark.parametrize("model", MODELS)
def test_null_reads_as_absent(model: str) -> None:
    definition = COMPONENTS["schemas"][model]
    scalars = {
        name
        for name, schema in definition.get("properties", {}).items()
        if SPEC.resolve(schema).get("type") not in ("array", "object") and name not in definition.get("required", ())
    }
    nothing = parsed(model, with_required(model, **dict.fromkeys(scalars)))
    for name in map(python_name, scalars):
        assert getattr(nothing, name) == absent(model, name)


SECRET = "not-to-be-seen"


@pytest.mark.parametrize("member", ["access_token", "refresh_token", "a_member_that_nobody_knows"])
def test_a_token_hides_its_secrets_in_its_repr(member: str) -> None:
    assert SECRET not in repr(parsed("IdentityTokenResponse", {"access_token": "x", member: SECRET}))


def test_a_token_shows_the_rest_in_its_repr() -> None:
    assert "expires_on='1700083860'" in repr(parsed("IdentityTokenResponse", example("token")))


def modules_after(statement: str) -> set[str]:
    """The modules of the package that a new interpreter has imported after a statement."""
    report = "import json, sys; print(json.dumps([m for m in sys.modules if m.startswith('azure_imds_api')]))"
    done = subprocess.run([sys.executable, "-c", f"{statement}; {report}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_models_package_imports_no_model() -> None:
    assert {m for m in modules_after("import azure_imds_api.models") if m.startswith("azure_imds_api.models.")} == set()


def test_a_model_is_imported_when_it_is_used() -> None:
    loaded = modules_after("from azure_imds_api.models import Plan")
    assert {m for m in loaded if m.startswith("azure_imds_api.models.")} == {"azure_imds_api.models.plan"}


def test_importing_the_facade_imports_no_tag_and_no_model() -> None:
    assert modules_after("import azure_imds_api.api") == {"azure_imds_api", "azure_imds_api.api"}


def test_all_models_are_listed_without_importing_them() -> None:
    assert {*models.__all__} <= {*dir(models)}


def test_an_unknown_model_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'azure_imds_api\.models' has no attribute 'Nonsense'"):
        _ = models.Nonsense
