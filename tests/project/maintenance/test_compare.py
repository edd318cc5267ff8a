"""What another description of the API has and ours lacks, and the other way round, on documents in Swagger's format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maintenance import compare
from maintenance.compare import Item, differences, outline
from maintenance.problem import Problem

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
    """The other description, and ours as openapi.yaml of the current folder."""
    (tmp_path / "imds.json").write_text(json.dumps(SWAGGER), encoding="utf-8")
    (tmp_path / "openapi.yaml").write_text(OPENAPI, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "imds.json", tmp_path / "openapi.yaml"


def test_each_difference_is_a_row_that_says_who_has_it(files: tuple[Path, Path]) -> None:
    upstream, ours = map(outline, files)
    shelf, post = "GET /metadata/shelf", "POST /metadata/shelf"
    assert differences(upstream, ours) == [
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


def test_the_same_document_in_either_direction_has_no_difference(files: tuple[Path, Path]) -> None:
    for path in files:
        assert differences(outline(path), outline(path)) == []


def test_a_document_that_refers_to_itself_comes_to_an_end(files: tuple[Path, Path]) -> None:
    names = {item.name for item in outline(files[0]).items if item.kind == "sent field"}
    assert names == {"title", "next"}


def test_the_command_prints_the_table_and_what_it_did_not_follow(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.run(Given(files[0])) == 0  # type: ignore[arg-type]
    lines = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == [
        "operation", "what", "name", "imds.json", "openapi.yaml"
    ]  # fmt: skip
    assert lines[-1] == "Not followed: common.json#/Font"
    assert len(lines) == 13


def test_agreement_is_said_so(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.run(Given(files[1])) == 0  # type: ignore[arg-type]
    assert capsys.readouterr().out == "Both describe the same operations, parameters and fields.\n"


def test_our_own_contract_is_read_whole() -> None:
    from support import ROOT

    items = outline(ROOT / "openapi.yaml").items
    assert Item("GET /metadata/identity/oauth2/token", "parameter", "query msi_res_id") in items
    assert Item("GET /metadata/instance", "field", "network.interface[].ipv4.ipAddress[].privateIpAddress") in items
    assert Item("POST /metadata/scheduledevents", "sent field", "StartRequests[].EventId") in items
    assert Item("GET /metadata/identity/oauth2/token", "error field", "error_description") in items


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "no paths"),
        ('{"paths": {}}', "neither Swagger"),
        ('{"swagger": "2.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/parameters/Lost"}]}}}}', "nowhere"),
    ],
    ids=["no JSON", "a list", "no version", "a reference to nothing"],
)
def test_what_is_no_description_is_a_problem(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "imds.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match=said):
        outline(path)


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        outline(tmp_path / "none.json")


class Given:
    """The command's options."""

    def __init__(self, upstream: Path) -> None:
        self.upstream = upstream
