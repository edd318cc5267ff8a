"""A document can come from anywhere. Using it opens no other file, contacts nothing and runs no other program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema.exceptions import _WrappedReferencingError
from referencing.exceptions import Unresolvable

from generator.lint.validators import OpenAPIValidator, make_validator
from generator.reader import parse
from support import ROOT, Wire, raw_server, reply

#: A document with URLs where OpenAPI has them, and files in texts. It is valid.
VALID = """\
openapi: 3.1.0
info:
  title: Small
  version: "7"
  description: See file:///OUTSIDE/canary.json and http://SERVER/canary.json, or OUTSIDE/canary.json.
  contact: {url: "http://SERVER/canary.json"}
  license: {name: MIT, url: "http://SERVER/canary.json"}
externalDocs: {url: "http://SERVER/canary.json"}
servers:
  - {url: "http://SERVER/metadata", x-name: azure}
  - {url: "http://SERVER/arc", x-name: arc}
tags: [{name: things, description: Things., externalDocs: {url: "http://SERVER/canary.json"}}]
paths:
  /thing:
    parameters:
      - {name: colour, in: query, schema: {type: string, enum: [red, green]}}
    get:
      operationId: Things_GetThing
      tags: [things]
      externalDocs: {description: Canary, url: "http://SERVER/canary.json"}
      responses:
        "200":
          description: A thing.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Thing"}
              examples: {a: {externalValue: "http://SERVER/canary.json"}}
components:
  schemas:
    Thing:
      type: object
      properties:
        name: {type: string, default: "file:///OUTSIDE/canary.json", description: Name.}
        key: {type: string, format: uri, example: "http://SERVER/canary.json"}
"""

NAME = "name: {type: string"

#: Each is inserted into the valid document, before the text that it ends with.
ATTACKS = [
    f"{keyword}{target}{end}\n        {NAME}"
    for target in ("file:///OUTSIDE/canary.json", "http://SERVER/canary.json", "OUTSIDE/canary.json", "canary.json#/a")
    for keyword, end in [
        ('a: {$ref: "', '"}'),
        ('a: {default: {$ref: "', '"}}'),
        ('a: {type: object, default: {b: {$ref: "', '"}}}'),
        ('a: {enum: [{$ref: "', '"}]}'),
        ('a: {example: {$ref: "', '"}}'),
        ('a: {examples: [{$ref: "', '"}]}'),
        ('a: {x-note: {$ref: "', '"}}'),
        ('a: {$dynamicRef: "', '", default: 1}'),
        ('a: {$recursiveRef: "', '", default: 1}'),
        ('a: {$schema: "', '", default: 1}'),
        ('a: {$id: "', '", default: 1, allOf: [{$ref: "#/x"}]}'),
        ('a: {discriminator: {propertyName: b, mapping: {c: "', '"}}}'),
    ]
] + [
    f"{place}\n{piece}"
    for place, piece in [
        ("openapi: 3.1.0", 'jsonSchemaDialect: "http://SERVER/canary.json"'),
        ("openapi: 3.1.0", '$schema: "file:///OUTSIDE/canary.json"'),
        ("openapi: 3.1.0", '$self: "file:///OUTSIDE/canary.json"'),
        ("paths:", '  /other: {$ref: "file:///OUTSIDE/canary.json"}'),
        ("components:", '  examples: {a: {externalValue: "file:///OUTSIDE/canary.json"}}'),
        ("components:", '  links: {a: {operationRef: "file:///OUTSIDE/canary.json"}}'),
        ("  schemas:", '    A: {externalDocs: {url: "file:///OUTSIDE/canary.json"}}'),
        ("  schemas:", '    A: {description: "--8<-- \\"OUTSIDE/canary.json\\""}'),
        ("  schemas:", '    A: {description: "::: OUTSIDE/canary.json"}'),
        ("  schemas:", "    A: !!python/object/apply:os.system ['touch OUTSIDE/ran']"),
    ]
]


def insert(attack: str) -> str:
    """The valid document with an attack."""
    for anchor in (NAME, *(line for line in VALID.splitlines() if line)):
        if attack.endswith(anchor) or attack.startswith(f"{anchor}\n"):
            assert VALID.count(f"{anchor}\n") == 1 or anchor == NAME
            return VALID.replace(anchor, attack, 1)
    raise AssertionError(attack)


def test_the_attacks_are_documents() -> None:
    refused = {text for text in map(insert, ATTACKS) if "!!python" not in text and not parse(text).plain()["paths"]}
    assert refused == set()


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The events of each document: first those of the valid one, twice, then those of the attacks.

    The second use of the valid document shows what each use opens. The first also loads modules.
    """
    folder = tmp_path_factory.mktemp("isolation")
    for name in ("outside", "projects"):
        (folder / name).mkdir()
    (folder / "outside" / "canary.json").write_text('{"a": {"type": "string"}}', encoding="utf-8")
    wire = Wire(reply(200, '{"a": {"type": "string"}}', "Content-Type: application/json", "Connection: close"))
    with raw_server(wire) as url:
        texts = [
            text.replace("OUTSIDE", str(folder / "outside")).replace("SERVER", url.removeprefix("http://"))
            for text in (VALID, VALID, *map(insert, ATTACKS))
        ]
        (folder / "documents.json").write_text(json.dumps(texts), encoding="utf-8")
        done = subprocess.run(
            [
                *(sys.executable, str(Path(__file__).with_name("watched.py")), str(folder / "record")),
                *(str(folder / "projects"), str(folder / "documents.json")),
            ],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stderr
    assert wire.connections == 0
    assert not (folder / "outside" / "ran").exists()
    record = (folder / "record").read_text(encoding="utf-8").replace(str(folder / "projects"), "PROJECTS")
    parts = record.split("document ")[1:]
    assert len(parts) == len(texts)
    return [part.splitlines()[1:] for part in parts]


@pytest.mark.integration
def test_the_valid_document_is_used_completely(events: list[list[str]]) -> None:
    opened = "\n".join(events[1])
    assert "trial.py" in opened
    assert opened.count("openapi.yaml") >= 5
    assert "things_get_thing" in opened


@pytest.mark.integration
def test_nothing_is_contacted(events: list[list[str]]) -> None:
    contacts = ("socket.connect", "socket.getaddrinfo", "socket.gethostby")
    assert [event for part in events for event in part if event.startswith(contacts)] == []
    assert [event for part in events[1:] for event in part if event.startswith(("socket.", "urllib."))] == []


@pytest.mark.integration
def test_no_file_is_opened_outside_the_project_and_the_environment(events: list[list[str]]) -> None:
    inside = ("PROJECTS/", str(ROOT), sys.prefix, sys.base_prefix, "/dev/null", "/tmp/")
    for part in events[1:]:
        opened = [event.removeprefix("open ") for event in part if event.startswith("open ")]
        assert [name for name in opened if name.startswith("/") and not name.startswith(inside)] == []
        assert not [name for name in opened if "canary" in name]


@pytest.mark.integration
def test_an_attack_opens_nothing_that_the_valid_document_does_not(events: list[list[str]]) -> None:
    usual = {event for part in events[:2] for event in part}
    for attack, part in zip(ATTACKS, events[2:], strict=True):
        assert {event for event in part if "PROJECTS/" not in event} - usual == set(), attack


# The validators on their own


@pytest.mark.parametrize("target", ["file://{}", "{}", "http://127.0.0.1:9/canary.json"])
def test_a_validator_loads_no_schema(target: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary.json"
    canary.write_text('{"type": "string"}', encoding="utf-8")
    with pytest.raises(_WrappedReferencingError, match="Unresolvable"):
        list(make_validator({"$ref": target.format(canary)}).iter_errors(1))


@pytest.mark.parametrize("target", ["file://{}", "{}", "http://127.0.0.1:9/canary.json"])
def test_the_validator_of_the_whole_document_loads_nothing(target: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary.json"
    canary.write_text('{"type": "string"}', encoding="utf-8")
    schema = {"type": "object", "default": {"$ref": target.format(canary)}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {},
        "components": {"schemas": {"A": schema}},
    }
    with pytest.raises(Unresolvable) as raised:
        list(OpenAPIValidator(document).iter_errors())
    assert "is not part of the document" in str(raised.value.__cause__.__cause__)
