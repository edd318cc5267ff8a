"""The differences between openapi.yaml and another description of the API, in Swagger's format."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from generator.terminal import is_control
from maintenance import compare
from maintenance.__main__ import main
from maintenance.compare import Item, find_differences, read_outline
from maintenance.problem import Problem
from support import ROOT, Wire, raw_server, reply

SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "basePath": "/metadata/",
    "parameters": {
        "Version": {"name": "api-version", "in": "query", "type": "string", "required": True},
        "Metadata": {"name": "METADATA", "in": "header", "type": "string"},
    },
    "paths": {
        "/shelf": {
            "parameters": [{"$ref": "#/parameters/Metadata"}],
            "get": {
                "operationId": "Shelves_Read",
                "parameters": [{"$ref": "#/parameters/Version"}, {"name": "row", "in": "query", "type": "string"}],
                "responses": {
                    "200": {"description": "OK", "schema": {"$ref": "#/definitions/Shelf"}},
                    "default": {"description": "No", "schema": {"$ref": "#/definitions/Fault"}},
                },
            },
            "post": {
                "parameters": [{"name": "body", "in": "body", "schema": {"$ref": "#/definitions/Book"}}],
                "responses": {"204": {"description": "Done"}},
            },
        },
        "/cellar": {"get": {"responses": {"200": {"description": "OK", "schema": {"$ref": "#/definitions/Shelf"}}}}},
    },
    "definitions": {
        "Shelf": {
            "type": "object",
            "properties": {
                "books": {"type": "array", "items": {"type": "object", "$ref": "#/definitions/Book"}},
                "width": {"type": "string"},
                "label": {"allOf": [{"$ref": "#/definitions/Label"}]},
            },
        },
        "Book": {"type": "object", "properties": {"title": {"type": "string"}, "next": {"$ref": "#/definitions/Book"}}},
        "Label": {"type": "object", "properties": {"text": {"type": "string"}, "font": {"$ref": "common.json#/Font"}}},
        "Fault": {"type": "object", "properties": {"error": {"type": "string"}}},
    },
}

OPENAPI = """\
openapi: 3.1.0
servers: [{url: "http://169.254.169.254/metadata"}]
paths:
  /shelf:
    get:
      parameters:
        - {name: Metadata, in: header, schema: {type: string}}
        - {name: api-version, in: query, schema: {type: string}}
        - {name: column, in: query, schema: {type: string}}
      responses:
        "200": {description: OK, content: {application/json: {schema: {$ref: "#/components/schemas/Shelf"}}}}
        default: {description: No, content: {application/json: {schema: {properties: {error: {type: string}}}}}}
    post:
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Book"}}}}
      responses: {"204": {description: Done}}
  /attic:
    get:
      parameters: [{name: lamp, in: query, schema: {type: string}}]
      responses: {"200": {description: OK}}
components:
  schemas:
    Shelf:
      properties:
        books: {type: array, items: {$ref: "#/components/schemas/Book"}}
        width: {type: [integer, "null"]}
        label:
          anyOf: [{$ref: "#/components/schemas/Label"}, {type: "null"}]
        depth: {type: string}
    Book:
      properties:
        title: {anyOf: [{enum: [a]}, {type: string}]}
    Label:
      properties:
        text: {type: string}
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The other description, and ours as openapi.yaml in the current folder."""
    (tmp_path / "imds.json").write_text(json.dumps(SWAGGER), encoding="utf-8")
    (tmp_path / "openapi.yaml").write_text(OPENAPI, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "imds.json", tmp_path / "openapi.yaml"


def test_each_difference_is_a_row_with_what_each_side_has(files: tuple[Path, Path]) -> None:
    upstream, ours = (read_outline(str(path)) for path in files)
    shelf, post = "GET /metadata/shelf", "POST /metadata/shelf"
    assert find_differences(upstream, ours) == [
        ("GET /metadata/attic", "operation", "", "-", "yes"),
        ("GET /metadata/cellar", "operation", "", "yes", "-"),
        (shelf, "field", "books[].next", "yes", "-"),
        (shelf, "field", "depth", "-", "yes"),
        (shelf, "field", "label.font", "yes", "-"),
        (shelf, "field", "width", "string", "integer or null"),
        (shelf, "parameter", "query column", "-", "yes"),
        (shelf, "parameter", "query row", "yes", "-"),
        (post, "parameter", "header metadata", "yes", "-"),
        (post, "sent field", "next", "yes", "-"),
    ]


def test_a_document_does_not_differ_from_itself(files: tuple[Path, Path]) -> None:
    for path in files:
        assert find_differences(read_outline(str(path)), read_outline(str(path))) == []


def test_a_schema_that_refers_to_itself_is_read_once(files: tuple[Path, Path]) -> None:
    names = {item.name for item in read_outline(str(files[0])).items if item.kind == "sent field"}
    assert names == {"title", "next"}


def test_the_command_prints_the_table_the_references_that_it_did_not_follow_and_a_summary(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--upstream", str(files[0])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == [
        "operation", "what", "name", "imds.json", "openapi.yaml"
    ]  # fmt: skip
    assert lines[12:] == [
        "",
        "Not followed: common.json#/Font",
        "Only in imds.json: 1 operation, 2 fields, 2 parameters, 1 sent field",
        "Only in openapi.yaml: 1 operation, 1 field, 1 parameter",
        "Other types: 1 field",
    ]


def test_the_command_can_show_only_what_upstream_has(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--only-upstream", "--upstream", str(files[0])]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    assert [(kind, name, theirs, ours) for _, kind, name, theirs, ours in rows[2:]] == [
        ("operation", "", "yes", "-"),
        ("field", "books[].next", "yes", "-"),
        ("field", "label.font", "yes", "-"),
        ("parameter", "query row", "yes", "-"),
        ("parameter", "header metadata", "yes", "-"),
        ("sent field", "next", "yes", "-"),
    ]
    assert lines[-1] == "Only in imds.json: 1 operation, 2 fields, 2 parameters, 1 sent field"
    assert [line for line in lines if line.startswith(("Only in openapi.yaml", "Other types"))] == []


def test_the_command_reports_that_upstream_has_nothing_more(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two files of the same name, of which the other one lacks an operation."""
    folder = files[0].parent / "other"
    folder.mkdir()
    less = re.sub("  /attic:.*?(?=components)", "", OPENAPI, flags=re.DOTALL)
    (folder / "openapi.yaml").write_text(less, encoding="utf-8")
    assert main(["compare", "--only-upstream", "--check", "--upstream", str(folder / "openapi.yaml")]) == 0
    assert capsys.readouterr().out == "Only in upstream: nothing\n"


@pytest.mark.parametrize("options", [["--check"], ["--check", "--only-upstream"]])
def test_the_exit_code_of_a_check_says_that_upstream_has_more(options: list[str], files: tuple[Path, Path]) -> None:
    assert main(["compare", *options, "--upstream", str(files[0])]) == compare.MISSING_EXIT


def test_the_command_reports_equal_documents(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--upstream", str(files[1])]) == 0
    assert capsys.readouterr().out == "Both documents describe the same operations, parameters and fields.\n"


def test_the_other_description_can_come_from_a_url(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with raw_server(Wire(reply(200, json.dumps(SWAGGER), "Connection: close"))) as url:
        assert main(["compare", "--upstream", f"{url}/specification/imds.json?version=main"]) == 0
    assert "Only in imds.json: 1 operation, " in capsys.readouterr().out


def test_our_own_specification_is_read_completely() -> None:
    items = read_outline(str(ROOT / "openapi.yaml")).items
    assert Item("GET /metadata/identity/oauth2/token", "parameter", "query msi_res_id") in items
    assert Item("GET /metadata/instance", "field", "network.interface[].ipv4.ipAddress[].privateIpAddress") in items
    assert Item("POST /metadata/scheduledevents", "sent field", "StartRequests[].EventId") in items
    assert Item("GET /metadata/identity/oauth2/token", "error field", "error_description") in items


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"imds\.json:1: \[yaml\] expected the node content"),
        ("swagger: '2.0'\npaths:\n  <<: {}", r"imds\.json:3: \[yaml\] merge keys"),
        ("swagger: '2.0'\npaths: " + "[" * 3_000, r"imds\.json:2: \[size\] nested deeper than 64 levels"),
        ("#" * 600_000, r"imds\.json:1: \[size\] the document has more than 524288 bytes"),
        ("[]", "no paths"),
        ('{"paths": {}}', "neither Swagger"),
        ('{"swagger": "2.0", "paths": {"/a": null}}', "imds.json is not a valid description of an API: "),
        ('{"swagger": "2.0", "paths": {"/a": {"get": {"parameters": 5}}}}', "is not a valid description of an API: "),
        (
            '{"swagger": "2.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/parameters/Lost"}]}}}}',
            "Lost points to nothing$",
        ),
    ],
    ids=[
        "invalid JSON",
        "a merge key",
        "brackets",
        "too large",
        "a list",
        "no version",
        "no path item",
        "parameters of another type",
        "a reference to nothing",
    ],
)
def test_a_file_that_is_not_a_description_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "imds.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match=message):
        read_outline(str(path))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"^--upstream \S+none\.json cannot be read: No such file or directory$"):
        read_outline(str(tmp_path / "none.json"))


def make_swagger(definitions: dict[str, Any]) -> str:
    response = {"description": "OK", "schema": {"$ref": "#/definitions/S0"}}
    paths = {"/a": {"get": {"responses": {"200": response}}}}
    return json.dumps({"swagger": "2.0", "paths": paths, "definitions": definitions})


def refer(number: int) -> dict[str, str]:
    return {"$ref": f"#/definitions/S{number}"}


@pytest.mark.parametrize(
    "definitions",
    [
        {f"S{n}": {"properties": {f"p{m}": refer(m) for m in range(20)}} for n in range(20)},
        {f"S{n}": {"properties": {"a": refer(n + 1), "b": refer(n + 1)}} for n in range(40)} | {"S40": {}},
        {f"S{n}": {"allOf": [refer(n + 1), refer(n + 1)]} for n in range(40)} | {"S40": {}},
        {f"S{n}": {"properties": {"a": refer(n + 1)}} for n in range(1_000)} | {"S1000": {}},
    ],
    ids=["each refers to each", "two to the power of 40", "two to the power of 40 combined", "a chain of 1000"],
)
def test_schemas_that_stand_for_too_many_fields_are_refused(tmp_path: Path, definitions: dict[str, Any]) -> None:
    path = tmp_path / "imds.json"
    path.write_text(make_swagger(definitions), encoding="utf-8")
    with pytest.raises(Problem, match=r"stands for more than 50000 schemas|refer to each other too deeply"):
        read_outline(str(path))


def test_nothing_that_a_document_contains_reaches_the_terminal_as_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "\x1b]0;owned\x07\x9b2J\u202eabc\nfake\r"
    swagger = json.loads(make_swagger({"S0": {"properties": {evil: {"type": evil}, "far": {"$ref": f"x{evil}"}}}}))
    swagger["paths"][f"/{evil}"] = {"get": {"parameters": [{"name": evil, "in": evil}], "responses": {}}}
    (tmp_path / "imds.json").write_text(json.dumps(swagger), encoding="utf-8")
    (tmp_path / "openapi.yaml").write_text(make_swagger({"S0": {}}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "--upstream", "imds.json"]) == 0
    del swagger["paths"]["/a"]
    swagger["paths"][evil] = {"get": {"responses": {"200": {"$ref": f"#/{evil}"}}}}
    (tmp_path / "imds.json").write_text(json.dumps(swagger), encoding="utf-8")
    assert main(["compare", "--upstream", "imds.json"]) == 1
    printed = capsys.readouterr()
    assert "\\x1b]0;owned" in printed.out
    assert "\\x1b]0;owned" in printed.err
    for text in (printed.out, printed.err):
        assert [character for character in text if is_control(character)] == []
    assert [line for line in printed.out.splitlines() if line.startswith("fake")] == []
