"""Short documents that stand for very much, and patterns that take very long, are refused before anything uses them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator import lint
from generator.lint.limits import MAX_DEPTH, MAX_SCHEMAS, is_slow
from generator.specification import Specification, SpecificationError

STRING = {"type": "string"}


def refer(number: int) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/S{number}"}


def make_document(schemas: dict[str, Any]) -> str:
    content = {"application/json": {"schema": refer(0)}}
    response = {"description": "A thing.", "content": content}
    operation = {"operationId": "Things_GetThing", "tags": ["things"], "responses": {"200": response}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Small", "version": "7"},
        "paths": {"/thing": {"get": operation}},
        "components": {"schemas": schemas},
    }
    return json.dumps(document, indent=1)


def make_chain(length: int, last: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Schemas of which each refers to the next: where `members` has None."""

    def fill(value: Any, number: int) -> Any:
        if isinstance(value, dict):
            return {key: fill(member, number) for key, member in value.items()}
        if isinstance(value, list):
            return [fill(member, number) for member in value]
        return refer(number + 1) if value is None else value

    return {f"S{n}": fill(members, n) for n in range(length)} | {f"S{length}": last}


TOO_MANY = f"the document stands for more than {MAX_SCHEMAS} schemas, with references followed"
TOO_DEEP = f"more than {MAX_DEPTH} schemas contain or refer to each other"
OBJECT = {"type": "object", "properties": {"x": STRING}}
TWO_REQUIRED = {"type": "object", "required": ["a", "b"], "properties": {"a": None, "b": None}}


@pytest.mark.parametrize(
    ("schemas", "reason"),
    [
        pytest.param(make_chain(40, STRING, **TWO_REQUIRED), TOO_MANY, id="two-required-members"),
        pytest.param(make_chain(40, OBJECT, allOf=[None, None]), TOO_MANY, id="two-combined"),
        pytest.param(make_chain(40, STRING, anyOf=[None, None]), TOO_MANY, id="two-alternatives"),
        pytest.param(
            {"S0": {"type": "object", "properties": {f"p{n}": refer(0) for n in range(20)}}},
            TOO_MANY,
            id="a-schema-with-itself-twenty-times",
        ),
        pytest.param(
            {f"S{n}": {"type": "object", "properties": {f"p{m}": refer(m) for m in range(15)}} for n in range(15)},
            TOO_MANY,
            id="each-in-each",
        ),
        pytest.param(
            make_chain(400, STRING, type="object", required=["a"], properties={"a": None}), TOO_DEEP, id="a-chain"
        ),
        pytest.param(make_chain(400, OBJECT, allOf=[None]), TOO_DEEP, id="a-chain-of-combined-schemas"),
        pytest.param(
            {f"S{n}": refer(n + 1) for n in range(2_000)} | {"S2000": STRING}, TOO_DEEP, id="a-chain-of-references"
        ),
    ],
)
def test_a_reference_bomb_is_refused_with_its_line_and_rule(schemas: dict[str, Any], reason: str) -> None:
    specification = Specification(make_document(schemas))
    with pytest.raises(SpecificationError) as raised:
        lint.check(specification)
    (finding,) = raised.value.findings
    assert (finding.rule, finding.message) == ("size", reason)
    assert finding.line > 1


@pytest.mark.parametrize(
    "schemas",
    [
        pytest.param(make_chain(5, STRING, **TWO_REQUIRED), id="two-required-members"),
        pytest.param(make_chain(20, STRING, type="object", properties={"a": None, "b": None}), id="optional-members"),
        pytest.param(make_chain(30, STRING, type="array", items=None), id="lists-of-lists"),
        pytest.param({"S0": {"type": "object", "properties": {"a": refer(0), "b": refer(0)}}}, id="a-tree"),
        pytest.param(
            {"S0": {"type": "object", "properties": {"a": {"type": "array", "items": refer(0)}}}}, id="a-list"
        ),
    ],
)
def test_schemas_that_refer_to_each_other_are_accepted(schemas: dict[str, Any]) -> None:
    lint.check(Specification(make_document(schemas)))


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "^(a|a)*$", "(?:a*)*b", "(?P<x>a+)+?b", "((a+))*b", "((a)+b)+", "(a?){30}a", "(a{2,3})+b", "(a+){2,}b"],
)
def test_a_pattern_that_can_take_very_long_is_refused(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern, "default": "a" * 40 + "c"}
    specification = Specification(make_document({"S0": {"type": "object", "properties": {"a": schema}}}))
    with pytest.raises(SpecificationError, match=r"\[pattern\] a group that repeats contains a repetition or \|"):
        lint.check(specification)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$",
        r"^(https://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?$",
        "^(a|b)$",
        "^(a|b+)?$",
        "^(ab)+(cd)*$",
        r"^\(a+\)+$",
        "^[(a+)|]+$",
        r"^[]a)]+[^\])]*$",
        "(a+){1}",
        "^(?=a)(?:b{2})*$",
    ],
)
def test_other_patterns_are_accepted(pattern: str) -> None:
    assert not is_slow(pattern)
