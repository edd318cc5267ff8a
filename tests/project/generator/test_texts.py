"""Texts of a document stay texts: in the generated code, which is run, and on a terminal."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from generator import lint
from generator.generate import GenerationError, generate
from generator.specification import Specification, SpecificationError
from generator.terminal import is_control, printable

CODE = "open('ran','w')"

#: Texts that end a literal, a comment or an expression, or that a template evaluates. Then `CODE` runs, or nothing.
PAYLOADS = [
    f'"""\n{CODE}\n"""',
    f'\\\\\\"""\n{CODE}\n\\"""',
    f'"); {CODE} #',
    f"'); {CODE} #",
    f'\\"); {CODE} #',
    f"\n{CODE}\n",
    "{" + CODE + "}",
    "{{ cycler.__init__.__globals__.os.open('ran', 64) }}{% raw %}",
    "\\N{x} \\x \\u12 \\",
]


def make_document(text: str, name: str) -> dict[str, Any]:
    """A document with a text in all places for texts, and a name in all places for names."""
    word = {"type": "string", "description": text, "default": text, "example": text, "title": "Word"}
    schema = {"type": "object", "description": text, "properties": {f"a{name}": word, "b": {"enum": [text, "b"]}}}
    ok = {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    error = {"description": text, "content": {"application/json": {"schema": schema}}}
    parameter = {
        "name": f"p{name}",
        "in": "query",
        "deprecated": True,
        "schema": {"type": "string", "description": text, "examples": [text]},
    }
    operation = {
        "operationId": "Things_GetThing",
        "tags": [f"things{name}"],
        "summary": text,
        "description": text,
        "deprecated": True,
        "parameters": [parameter, {**parameter, "name": f"h{name}", "in": "header"}],
        "responses": {"200": ok, "400": error},
        "x-hints": {"404": text},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": text, "version": f"7{text}", "summary": text, "description": text},
        "servers": [
            {"url": "http://127.0.0.1/a", "x-name": "azure", "description": text},
            {"url": "http://127.0.0.1/b", "x-name": "arc", "x-api-version": text},
            {"url": "http://127.0.0.1/c", "x-name": text},
        ],
        "tags": [{"name": f"things{name}", "description": text}],
        "paths": {f"/thing{name.strip('{}')}": {"get": operation}},
        "components": {"schemas": {"Thing": schema}},
    }


def attempt(document: dict[str, Any], root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Generates a client from a document. Returns the error, or "". Fails if the document has run code."""
    (root / "openapi.yaml").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.chdir(root)
    try:
        generate(root)
    except (SpecificationError, GenerationError) as error:
        return str(error)
    finally:
        assert not list(root.rglob("ran"))
    return ""


def test_a_text_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempt(make_document("\n\n".join(PAYLOADS), ""), tmp_path, monkeypatch) == ""


@pytest.mark.parametrize("name", [f'"); {CODE}; ("', f"'); {CODE}; ('", "{" + CODE + "}"])
def test_a_name_does_not_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempt(make_document("Text.", name), tmp_path, monkeypatch) == ""


# Terminals

EVIL = "\x1b]0;owned\x07\x9b2J\u202eabc\r"


@pytest.mark.parametrize(
    "document",
    [
        {EVIL: 1},
        {"openapi": EVIL},
        {"openapi": "3.1.0", "info": {"title": "x", "version": "1", EVIL: 1}, "paths": {EVIL: {EVIL: 1}}},
        make_document(EVIL, ""),
        make_document("Text.", EVIL),
    ],
    ids=["a name", "the version of OpenAPI", "names", "texts", "all names"],
)
def test_a_finding_contains_no_control_characters(document: dict[str, Any]) -> None:
    specification = Specification(json.dumps(document))
    for stage in lint.STAGES:
        with contextlib.suppress(Exception):  # stages rely on those before them
            text = str(SpecificationError(list(stage(specification))))
            assert [character for character in text if is_control(character)] == []
    with pytest.raises(SpecificationError, match=r"\\x1b\]0;owned|U\+001B"):
        lint.check(specification)


def test_control_characters_are_shown_as_python_escapes_them() -> None:
    assert printable(f"a\tb\n{EVIL}é🚀\u2028\ufeff") == (
        "a\tb\n\\x1b]0;owned\\x07\\x9b2J\\u202eabc\\ré🚀\\u2028\\ufeff"
    )
