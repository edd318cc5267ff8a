"""Which mistakes in openapi.yaml the lint refuses, by which rule, and at which line.

Each mistake is a piece of YAML that is inserted into a copy of small.yaml. Its comments are expectations:
`# ! rule` at the end of a line means a finding of that rule on that line.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

import pytest

from azure_imds import AsyncImdsClient, ImdsClient
from azure_imds_api.api import Operations
from generator import lint
from generator.generate import generate
from generator.specification import Finding, Specification, SpecificationError
from support import ROOT

#: A contract of the tests.
CONTRACT = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")

#: Places for pieces. A piece is inserted before this text, with the same indentation.
PLACES = {
    "parameter": "        - name: nonce\n",
    "path": "  /loadbalancer:\n",
    "schema": "    TrueFlag:\n",
    "property": "        tenantId:\n          type: string\n",
    "server": "  - url: http://localhost:40342/metadata\n",
    "tag": "  - name: instances\n",
    "document": "paths:\n",
    "component": "  schemas:\n",
}
MARK = re.compile(r"# ! ([a-z -]+)$", re.MULTILINE)
MADE_MARK = re.compile(r"# ! ([a-z -]+) of (\S+)$")


@dataclass(frozen=True)
class Mistake:
    """A piece of YAML and its place: one of PLACES, or the text that it replaces."""

    name: str
    place: str
    piece: str

    def made(self, text: str) -> str:
        anchor = PLACES.get(self.place, self.place)
        assert text.count(anchor) == 1, (self.name, text.count(anchor))
        piece: str = MARK.sub(rf"\g<0> of {self.name}", self.piece)
        if self.place not in PLACES:
            return text.replace(anchor, piece)
        depth = len(anchor) - len(anchor.lstrip())
        return text.replace(anchor, indent(dedent(piece).strip("\n"), " " * depth) + "\n" + anchor)


def operation(
    name: str, lines: str = "", *, path: str = "", tags: str = "[extra]", responses: str | None = None
) -> str:
    """A path with one operation."""
    responses = 'responses: {"200": {description: Done.}}' if responses is None else responses
    head = f"{path or '/' + name}:\n  get:\n    operationId: Extra_{name.title().replace('-', '')}\n    tags: {tags}\n"
    return head + indent("\n".join(part for part in (dedent(lines).strip("\n"), responses) if part), " " * 4)


def host(
    name: str,
    lines: str = "",
    *,
    url: str = 'x-url: "{A}"',
    at_server: str = " # ! server",
    target: str = "Versions_GetVersions",
    parameter: str = "",
) -> str:
    """A path with a server of its own, and one operation that stands for another."""
    server = "\n".join(
        part for part in (f"- url: http://h{at_server}", f"  x-name: {name}", "  x-when: {set: [A]}") if part
    )
    server += "".join(f"\n  {part}" for part in (url, lines) if part)
    stands = f"x-stands-for: {target}\n" if target else ""
    if parameter:
        stands += f"parameters:\n  - {parameter}"
    path = operation(name, stands).replace("  get:", "  get: # ! stands-for" if parameter else "  get:")
    head, rest = path.split("\n", 1)
    return f"{head}\n  servers:\n{indent(server, ' ' * 4)}\n{rest}"


def answer(name: str, schema: str, mark: str, *, kind: str = "application/json", also: str = "") -> str:
    lines = f'responses:\n  "200":\n    description: Done.\n    content:\n      {kind}: {{{schema}}} # ! {mark}{also}'
    return operation(name, responses=lines)


def body(name: str, content: str, marks: str) -> str:
    return operation(name, f"requestBody:\n  content:\n    {content} # ! {marks}")


def query(name: str, schema: str, mark: str, where: str = "query", before: str = "", at: str = "") -> str:
    """A parameter. `at` is where the finding is expected: "head", or "" for the schema."""
    head = f"- name: {name}" + (f" # ! {mark}" if at == "head" else "")
    lines = [head, f"  in: {where}", *([before] if before else [])]
    return "\n".join([*lines, f"  schema: {schema}" + (f" # ! {mark}" if not at else "")])


#: Markdown with an effect beyond its text, in YAML.
MARKUP = {
    "a-script": "'<script>alert(1)</script>'",
    "the-end-of-an-element": "a </code> b",
    "a-comment": "a <!-- b",
    "an-instruction-of-xml": "a <?xml b",
    "an-open-element": "'a <'",
    "an-element-with-a-line-break": '"a <img\\nsrc=x onerror=alert(1)>"',
    "an-automatic-link": "<javascript:alert(1)>",
    "an-included-file": "'--8<-- \".git/config\"'",
    "an-included-file-with-one-dash": "'-8<- \".git/config\"'",
    "included-documentation": "'::: os'",
    "an-attribute": "'[a](https://x.example){onclick=alert(1)}'",
    "an-open-attribute": "'[a](https://x.example){: onclick=alert(1)'",
    "an-image": "'![a](https://x.example/a.png)'",
    "a-script-as-a-link": "'[a](javascript:alert(1))'",
    "a-script-with-a-space": "'[a]( javascript:alert(1))'",
    "an-escaped-script": "'[a](&#106;avascript:alert(1))'",
    "a-relative-link": "'[a](../x)'",
    "the-target-of-a-link": "'[a]: javascript:alert(1)'",
    "the-target-of-a-link-on-the-next-line": '"[a]:\\n javascript:alert(1)"',
}


#: Mistakes by stage. A stage runs only if the stages before it found nothing.
MISTAKES: dict[str, list[Mistake]] = {
    "isolation": [
        Mistake("a-reference-to-another-file", "property", 'far: {$ref: "other.yaml#/Far"} # ! isolation'),
        Mistake("a-reference-to-a-url", "property", 'net: {$ref: "http://127.0.0.1:9/x"} # ! isolation'),
        Mistake(
            "a-reference-without-its-root", "property", 'rootless: {$ref: "components/schemas/Plan"} # ! isolation'
        ),
        Mistake("a-reference-that-is-a-mapping", "property", "odd: {$ref: {type: string}} # ! isolation"),
        Mistake("a-property-named-like-a-reference", "schema", "P: {properties: {$ref: {}}} # ! isolation"),
        *(
            Mistake(
                f"a-reference-in-{place}",
                "schema",
                f"R{number}: {{{before}: {value.format('{$ref: file:///etc/passwd}')}}} # ! isolation",
            )
            for number, (place, before, value) in enumerate(
                [
                    ("a-default", "default", "{}"),
                    ("the-depth-of-a-default", "default", "[{{a: {}}}]"),
                    ("an-enum", "enum", "[{}]"),
                    ("a-const", "const", "{}"),
                    ("an-example", "example", "{}"),
                    ("examples", "examples", "[{}]"),
                    ("an-extension", "x-note", "{}"),
                    ("a-mapping-of-a-discriminator", "discriminator", "{{mapping: {}}}"),
                ]
            )
        ),
        Mistake(
            "a-local-reference-in-a-default",
            "schema",
            'Local: {default: {$ref: "#/components/schemas/Plan"}} # ! isolation',
        ),
        Mistake(
            "a-reference-in-the-value-of-an-example",
            "component",
            'examples2: {a: {value: {$ref: "#/components/schemas/Plan"}}} # ! isolation',
        ),
        Mistake("a-reference-for-all-paths", "path", '$ref: "#/components/x" # ! isolation'),
        *(
            Mistake(f"the-keyword-{key}", "schema", f'K{number}: {{{key}: "http://127.0.0.1:9/x"}} # ! isolation')
            for number, key in enumerate(sorted(lint.isolation.REFUSED))
        ),
        *(
            Mistake(
                f"{key}-in-data", "schema", f'D{number}: {{default: {{{key}: "http://127.0.0.1:9/"}}}} # ! isolation'
            )
            for number, key in enumerate(sorted(lint.isolation.REFUSED))
        ),
        Mistake(
            "another-dialect",
            "document",
            "jsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base # ! isolation",
        ),
    ],
    "texts": [
        *(
            Mistake(f"{name}-in-a-description", "property", f"t{number}: {{description: {text}}} # ! markup")
            for number, (name, text) in enumerate(MARKUP.items())
        ),
        *(
            Mistake(f"{name}-in-the-name-of-a-property", "property", f"{text}: {{type: string}} # ! markup")
            for name, text in MARKUP.items()
        ),
        Mistake("html-in-the-version", "  version: 1.0.0\n", "  version: <img src=x> # ! markup\n"),
        Mistake("html-in-a-default", "parameter", query("t1", "{type: string, default: a<b>c</b>}", "markup")),
        Mistake("html-in-an-enum", "parameter", query("t2", "{enum: [a<b>c</b>]}", "markup")),
        Mistake("html-in-the-example-of-a-schema", "property", "tx: {type: string, example: a<b>c} # ! markup"),
        Mistake("html-in-a-hint", "path", operation("hint", 'x-hints: {"404": Call <b>us</b>.} # ! markup')),
        Mistake("html-in-a-path", "path", operation("bold", path="/<b>").replace(":\n", ": # ! markup\n", 1)),
        Mistake("html-in-an-operation-id", "path", operation("oid").replace("Extra_Oid", "Extra_Oid<b> # ! markup")),
        *(
            Mistake(
                f"the-character-{name}", "property", f'c{name}: {{description: "a\\u{name}b"}} # ! control-character'
            )
            for name in ("0000", "001b", "007f", "009b", "00ad", "200b", "202e", "2028", "2066", "feff")
        ),
        Mistake("a-control-character-in-a-name", "property", '"c\\e[2J": {type: string} # ! control-character'),
        Mistake("a-control-character-in-a-pattern", "property", 'cp: {pattern: "\\e[2J"} # ! control-character'),
        Mistake("a-control-character-in-data", "property", 'cd: {example: ["\\e[2J"]} # ! control-character'),
        Mistake("a-script-as-a-link", "tag", "- {name: t7, externalDocs: {url: 'javascript:alert(1)'}} # ! url"),
        Mistake("a-link-with-markup", "tag", "- {name: t8, externalDocs: {url: 'https://x.example/)[a]'}} # ! url"),
        Mistake("a-file-as-a-link", "tag", "- {name: t9, externalDocs: {url: 'file:///etc/passwd'}} # ! url"),
    ],
    "siblings": [
        Mistake(
            "a-reference-with-a-default-next-to-it",
            "parameter",
            """
            - name: beside
              in: query
              schema:
                $ref: "#/components/schemas/TrueFlag"
                default: "true" # ! ref-sibling
            """,
        ),
        Mistake(
            "a-referenced-parameter-with-a-default-next-to-it",
            "parameter",
            """
            - $ref: "#/components/parameters/ScheduledEventsApiVersion"
              default: 2019-08-01 # ! ref-sibling
            """,
        ),
    ],
    "structure": [
        Mistake("a-misspelt-key-of-an-operation", "path", operation("typo", "operationID: X # ! valid-openapi")),
        Mistake(
            "a-misspelt-key-of-a-parameter",
            "parameter",
            "- name: typo\n  in: query\n  requried: true # ! valid-openapi\n  schema: {type: string}",
        ),
        Mistake(
            "a-parameter-without-a-place",
            "parameter",
            "- name: nowhere # ! valid-openapi\n  schema: {type: string}",
        ),
        Mistake(
            "an-optional-path-parameter",
            "path",
            operation("opt", "parameters:\n  - {name: a, in: path, schema: {}} # ! valid-openapi", path="/opt/{a}"),
        ),
        Mistake(
            "a-response-without-a-description",
            "path",
            operation("silent", responses='responses:\n  "200": {} # ! valid-openapi'),
        ),
        Mistake(
            "a-status-that-is-none",
            "path",
            operation("status", responses='responses:\n  "200": {description: Done.}\n  "20": {} # ! valid-openapi'),
        ),
        Mistake("an-empty-path", "path", "/nothing: # ! valid-openapi"),
        Mistake("a-path-without-a-slash", "path", "nothing: {} # ! valid-openapi"),
        Mistake("a-server-without-a-url", "server", "- x-name: nowhere # ! valid-openapi"),
        Mistake("a-version-that-is-a-number", "  version: 1.0.0\n", "  version: 1.0 # ! valid-openapi\n"),
    ],
    "schemas": [
        Mistake("a-component-that-is-true", "schema", "Anything: true # ! boolean-schema"),
        Mistake("a-type-that-is-none", "property", "typo: {type: strng} # ! valid-openapi"),
        Mistake("a-length-that-is-a-string", "property", 'typo2: {type: string, minLength: "3"} # ! valid-openapi'),
        Mistake("required-in-a-property", "property", "typo3: {type: string, required: true} # ! valid-openapi"),
        Mistake("true-for-a-property", "property", "s8: true # ! boolean-schema"),
        Mistake("true-for-items", "property", "s9: {type: array, items: true} # ! boolean-schema"),
        Mistake("true-for-a-part", "property", "s10: {anyOf: [{type: string}, true]} # ! boolean-schema"),
        Mistake("false-for-a-parameter", "parameter", query("s11", "false", "boolean-schema")),
        Mistake("a-list-of-items", "property", "typo4: {type: array, items: [{}]} # ! valid-openapi"),
        Mistake("a-pattern-that-is-none", "schema", 'Broken:\n  type: string\n  pattern: "[" # ! pattern'),
        Mistake("a-pattern-that-python-cannot-read", "parameter", query("p", '{pattern: "^(?<n>a)$"}', "pattern")),
        Mistake("a-default-with-such-a-pattern", "parameter", query("p2", '{pattern: "(", default: a}', "pattern")),
        Mistake("a-bad-schema-of-a-parameter", "parameter", query("bad", "{type: strng}", "valid-openapi")),
    ],
    "references": [
        Mistake("a-reference-to-nowhere", "property", 'lost: {$ref: "#/components/schemas/Lost"} # ! broken-ref'),
        Mistake(
            "a-reference-into-a-component",
            "property",
            'deep: {$ref: "#/components/schemas/Compute/properties/plan"} # ! broken-ref',
        ),
        Mistake(
            "a-reference-to-another-kind-of-component",
            "property",
            'other: {$ref: "#/components/parameters/Metadata"} # ! broken-ref',
        ),
        Mistake(
            "references-in-a-circle",
            "schema",
            """
            One: {$ref: "#/components/schemas/Other"} # ! broken-ref
            Other: {$ref: "#/components/schemas/One"} # ! broken-ref
            """,
        ),
        Mistake(
            "a-schema-made-of-itself", "schema", 'Self: {allOf: [{$ref: "#/components/schemas/Self"}]} # ! broken-ref'
        ),
        Mistake(
            "a-reference-to-an-example-that-is-missing",
            '$ref: "#/components/examples/IdentityInfo"\n',
            '$ref: "#/components/examples/IdentityInf" # ! broken-ref\n',
        ),
    ],
    "defaults": [
        Mistake("a-default-of-another-type", "property", "three: {type: string, default: 3} # ! default"),
        Mistake("a-default-outside-its-values", "parameter", query("d1", "{enum: [a], default: b}", "default")),
        Mistake("a-default-against-its-pattern", "parameter", query("d2", '{pattern: "^a$", default: b}', "default")),
        Mistake(
            "a-default-against-a-referenced-schema",
            "parameter",
            query("d3", '{allOf: [{$ref: "#/components/schemas/TrueFlag"}], default: "false"}', "default"),
        ),
    ],
    "rules": [
        # Known mistakes that the generator does not detect
        Mistake(
            "the-same-operation-id",
            "path",
            "/again:\n  get:\n    operationId: Identity_GetInfo # ! duplicate-operation-id\n    tags: [extra]\n"
            '    responses: {"200": {description: Done.}}',
        ),
        Mistake(
            "an-operation-id-that-differs-by-case",
            "path",
            "/again2:\n  get:\n    operationId: identity_gettoken # ! duplicate-operation-id\n    tags: [extra]\n"
            '    responses: {"200": {description: Done.}}',
        ),
        Mistake(
            "an-operation-id-that-differs-by-an-underscore",
            "path",
            "/again3:\n  get:\n    operationId: Attested_Get_Document # ! duplicate-operation-id\n    tags: [extra]\n"
            '    responses: {"200": {description: Done.}}',
        ),
        *(
            Mistake(
                f"a-parameter-named-{name}", "parameter", query(name, "{type: string}", "taken-parameter", at="head")
            )
            for name in sorted(lint.names.TAKEN_PARAMETERS)
        ),
        Mistake(
            "a-parameter-that-hides-anothers-json",
            "parameter",
            query("json_nonce", "{type: string}", "taken-parameter", at="head"),
        ),
        Mistake(
            "a-second-content-type-of-an-answer",
            "path",
            operation(
                "second",
                responses="""responses:
  "200":
    description: Done.
    content: # ! second-content-type
      application/json: {schema: {type: string}}
      text/plain: {schema: {type: string}}""",
            ),
        ),
        Mistake(
            "a-second-content-type-of-a-default-answer",
            "path",
            operation(
                "second-default",
                responses="""responses:
  "200": {description: Done.}
  default:
    description: Failed.
    content: # ! second-content-type
      application/json: {schema: {type: string}}
      text/plain: {schema: {type: string}}""",
            ),
        ),
        Mistake(
            "a-discriminator",
            "property",
            """
            told-apart:
              oneOf: # ! union
                - $ref: "#/components/schemas/Host"
                - $ref: "#/components/schemas/Plan"
              discriminator: {propertyName: kind} # ! discriminator
            """,
        ),
        Mistake(
            "explode-false",
            "parameter",
            query("e1", "{type: array, items: {type: string}}", "", before="  explode: false # ! explode", at="no"),
        ),
        Mistake(
            "a-joined-style",
            "parameter",
            query(
                "e2", "{type: array, items: {type: string}}", "", before="  style: pipeDelimited # ! explode", at="no"
            ),
        ),
        Mistake(
            "a-description-of-a-parameter",
            "parameter",
            query("e3", "{type: string}", "", before="  description: Lost. # ! parameter-description", at="no"),
        ),
        Mistake(
            "a-description-of-a-shared-parameter",
            "    IdentityApiVersion:\n",
            "    IdentityApiVersion:\n      description: Lost. # ! parameter-description\n",
        ),
        Mistake("values-that-differ-by-case", "parameter", query("e4", "{enum: [aa, Aa]}", "enum-case")),
        Mistake("values-that-differ-by-case-in-an-answer", "property", "e5: {enum: [bb, BB]} # ! enum-case"),
        Mistake(
            "a-model-named-like-its-property",
            "schema",
            "SameName:\n  type: object\n  properties:\n    sameName: {type: string} # ! model-like-property",
        ),
        Mistake("const", "parameter", query("e6", "{const: x}", "const")),
        Mistake("const-in-an-answer", "property", "e7: {const: x} # ! const"),
        Mistake(
            "a-date-time-header",
            "parameter",
            "- name: X-When # ! header-type\n  in: header\n"
            "  schema: {type: string, format: date-time} # ! typed-format",
        ),
        Mistake(
            "a-list-in-a-header",
            "parameter",
            query("X-List", "{type: array, items: {type: string}}", "header-type", "header", at="head"),
        ),
        # Operations
        Mistake(
            "no-operation-id",
            "path",
            '/nameless:\n  get: # ! operation-id\n    tags: [extra]\n    responses: {"200": {description: Done.}}',
        ),
        Mistake(
            "an-operation-id-that-is-no-method-name",
            "path",
            "/keyword:\n  get:\n    operationId: Extra_Import # ! operation-id\n    tags: [extra]\n"
            '    responses: {"200": {description: Done.}}',
        ),
        Mistake(
            "two-operations-of-one-method",
            "path",
            "/m1:\n  get:\n    operationId: Extra_Same\n    tags: [extra]\n"
            '    responses: {"200": {description: Done.}}\n'
            "/m2:\n  get:\n    operationId: Same # ! duplicate-method\n    tags: [extra]\n"
            '    responses: {"200": {description: Done.}}',
        ),
        Mistake("no-tag", "path", operation("untagged", tags="[]").replace("  get:", "  get: # ! one-tag")),
        Mistake("two-tags", "path", operation("twice", tags="[a, b]").replace("  get:", "  get: # ! one-tag")),
        *(
            Mistake(f"a-tag-named-{tag}", "path", operation(f"tag-{tag}", tags=f"[{tag}] # ! taken-tag"))
            for tag in sorted(lint.names.TAKEN_TAGS)
        ),
        Mistake("a-tag-that-is-described-twice", "tag", "- name: spare\n- name: spare # ! duplicate-tag"),
        Mistake(
            "no-success", "path", operation("fails", responses='responses: {"400": {description: No.}} # ! no-success')
        ),
        Mistake("no-responses", "path", operation("mute", responses="").replace("  get:", "  get: # ! no-success")),
        Mistake(
            "two-successes-of-different-form",
            "path",
            operation(
                "two",
                responses="""responses:
  "200": {description: Done., content: {application/json: {schema: {type: string}}}}
  "204": {description: Nothing.} # ! one-success""",
            ),
        ),
        Mistake("a-path-without-operations", "path", "/deserted: {summary: None.} # ! empty-path"),
        Mistake("a-path-with-a-query", "path", operation("q", path='"/q?x=1"').replace(":\n", ": # ! path\n", 1)),
        Mistake("a-path-with-half-a-brace", "path", operation("b", path='"/b{"').replace(":\n", ": # ! path\n", 1)),
        Mistake(
            "a-path-parameter-that-nothing-describes",
            "path",
            operation("p1", path="/p1/{id}").replace("  get:", "  get: # ! path"),
        ),
        Mistake(
            "a-path-parameter-without-a-place",
            "path",
            operation("p2", "parameters:\n  - {name: id, in: path, required: true, schema: {type: string}} # ! path"),
        ),
        # Parameters
        Mistake(
            "two-parameters-of-one-name",
            "parameter",
            query("api_version", "{type: string}", "duplicate-parameter", at="head"),
        ),
        Mistake(
            "one-name-in-two-places",
            "parameter",
            query("metadata", "{type: string}", "duplicate-parameter", at="head"),
        ),
        Mistake(
            "a-parameter-without-a-schema",
            "parameter",
            "- name: c1 # ! parameter-schema\n  in: query\n  content: {application/json: {schema: {type: string}}}",
        ),
        Mistake("a-cookie", "parameter", query("c2", "{type: string}", "cookie", "cookie", at="head")),
        Mistake(
            "a-header-that-openapi-ignores",
            "parameter",
            query("Authorization", "{type: string}", "header-name", "header", at="head"),
        ),
        Mistake(
            "an-object-in-the-query",
            "parameter",
            query("c3", '{$ref: "#/components/schemas/Host"}', "parameter-type", at="head"),
        ),
        Mistake(
            "a-list-in-a-path",
            "path",
            operation(
                "p3",
                "parameters:\n  - name: ids # ! parameter-type\n    in: path\n    required: true\n"
                "    schema: {type: array, items: {type: string}}",
                path="/p3/{ids}",
            ),
        ),
        Mistake(
            "a-default-in-a-path",
            "path",
            operation(
                "p4",
                "parameters:\n  - name: id # ! path-default\n    in: path\n    required: true\n"
                "    schema: {type: string, default: a}",
                path="/p4/{id}",
            ),
        ),
        Mistake(
            "a-choice-in-a-request",
            "parameter",
            query("c5", "{anyOf: [{type: string}, {type: integer}]}", "unenforced"),
        ),
        Mistake(
            "reserved-characters",
            "parameter",
            query("c6", "{type: string}", "", before="  allowReserved: true # ! unread", at="no"),
        ),
        Mistake("a-misspelt-constraint", "parameter", query("c7", "{type: string, maxLenght: 3}", "unread")),
        Mistake("a-pattern-without-an-example", "parameter", query("c8", '{pattern: "^a$"}', "pattern-example")),
        Mistake(
            "an-example-against-its-pattern",
            "parameter",
            query("c9", '{pattern: "^a$"}', "", before="  example: b # ! pattern-example", at="no"),
        ),
        Mistake(
            "an-example-of-a-schema-against-its-pattern",
            "parameter",
            query("c10", '{pattern: "^a$", examples: [b]}', "pattern-example"),
        ),
        # Bodies
        Mistake(
            "a-list-as-a-body",
            "path",
            body("b1", "application/json: {schema: {type: array, items: {}}}", "request-body"),
        ),
        Mistake(
            "a-form",
            "path",
            body("b2", "application/x-www-form-urlencoded: {schema: {type: object}}", "request-body"),
        ),
        Mistake(
            "a-request-with-any-members",
            "path",
            body("b3", "application/json: {schema: {type: object, additionalProperties: {}}}", "unenforced"),
        ),
        Mistake(
            "a-request-without-end",
            "schema",
            'Endless: # ! recursive-request\n  type: object\n  properties: {e: {$ref: "#/components/schemas/Endless"}}',
        ),
        Mistake(
            "a-request-that-uses-it",
            "path",
            operation(
                "b4",
                'requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Endless"}}}}',
            ),
        ),
        # Answers
        Mistake(
            "an-answer-in-xml", "path", answer("a1", "schema: {type: string}", "content-type", kind="application/xml")
        ),
        Mistake("an-answer-without-a-schema", "path", answer("a2", "", "content-schema")),
        Mistake("an-answer-that-may-be-anything", "path", answer("a3", "schema: {}", "content-schema")),
        Mistake(
            "text-that-is-an-object",
            "path",
            answer("a4", "schema: {type: object}", "content-schema", kind="text/plain"),
        ),
        # Schemas
        *(
            Mistake(f"format-{kind}", "property", f"f-{kind}: {{type: string, format: {kind}}} # ! typed-format")
            for kind in sorted(lint.schemas.TYPED_FORMATS)
        ),
        Mistake(
            "format-date-time-in-the-query",
            "parameter",
            query("f1", "{type: string, format: date-time}", "typed-format"),
        ),
        Mistake("nullable-of-openapi-3-0", "property", "s1: {type: string, nullable: true} # ! nullable"),
        Mistake("a-misspelt-keyword", "property", "s2: {type: string, descripton: None.} # ! unread"),
        Mistake("a-keyword-that-nothing-reads", "property", "s3: {type: string, if: {minLength: 1}} # ! unread"),
        Mistake("a-closed-object", "property", "s4: {type: object, additionalProperties: false} # ! closed-object"),
        Mistake("a-default-of-a-component", "schema", "Flag: {type: string, default: a} # ! component-default"),
        Mistake("values-of-another-type", "property", "s5: {type: string, enum: [on, true]} # ! enum-type"),
        Mistake("values-of-two-types", "property", "s6: {enum: [a, 1]} # ! enum-type"),
        Mistake("a-list-without-items", "property", "s7: {type: array} # ! items"),
        Mistake("a-required-member-that-is-none", "property", "t1: {type: object, required: [typo]} # ! required"),
        Mistake(
            "objects-that-cannot-be-told-apart",
            "property",
            't2: {anyOf: [{$ref: "#/components/schemas/Host"}, {$ref: "#/components/schemas/Plan"}]} # ! union',
        ),
        Mistake("a-type-next-to-a-union", "property", "t3: {type: string, anyOf: [{minLength: 1}, {}]} # ! union"),
        Mistake(
            "members-next-to-one-reference",
            "property",
            't4: {allOf: [{$ref: "#/components/schemas/Host"}], properties: {a: {type: string}}} # ! all-of',
        ),
        Mistake(
            "a-description-next-to-one-reference",
            "property",
            't5: {allOf: [{$ref: "#/components/schemas/Host"}], description: Lost.} # ! all-of',
        ),
        Mistake(
            "deprecated-next-to-one-reference",
            "property",
            't7: {allOf: [{$ref: "#/components/schemas/Host"}], deprecated: true} # ! all-of',
        ),
        Mistake("all-of-what-is-no-object", "property", "t6: {allOf: [{type: string}]} # ! all-of"),
        # Absent members
        Mistake("absent-unknown", "schema", "A1: {type: object, x-absent: none} # ! extension"),
        Mistake("absent-at-text", "schema", "A2: {type: string, x-absent: empty} # ! absent"),
        Mistake("absent-at-a-member", "property", "a3: {type: string, x-absent: empty} # ! extension"),
        # Names
        *(
            Mistake(f"a-model-named-{name}", "schema", f"{name}: {{type: object}} # ! taken-model")
            for name in sorted(lint.names.TAKEN_MODELS)
        ),
        *(
            Mistake(f"a-property-named-{name}", "property", f"{name}: {{type: string}} # ! taken-property")
            for name in sorted(lint.names.TAKEN_PROPERTIES)
        ),
        Mistake(
            "a-model-that-differs-by-case",
            "schema",
            "LetterCase: {type: object}\nLettercase: {type: object} # ! duplicate-model",
        ),
        Mistake("a-model-of-the-same-file", "schema", "IPv4: {type: object}\nIpv4: {type: object} # ! duplicate-model"),
        Mistake(
            "a-property-of-the-same-name-in-python",
            "property",
            "two-words: {type: string}\ntwoWords: {type: string} # ! duplicate-property",
        ),
        # Other places
        Mistake("webhooks", "document", "webhooks: {} # ! unread"),
        Mistake("callbacks", "path", operation("callback", "callbacks: {} # ! unread")),
        Mistake("a-server-of-one-operation", "path", operation("server", 'servers: [{url: "http://x"}] # ! unread')),
        Mistake(
            "a-server-of-the-same-name",
            "server",
            "- url: http://a\n  x-name: twin\n- url: http://b # ! server\n  x-name: twin",
        ),
        Mistake(
            "a-server-that-is-never-recognized",
            "path",
            host("h0").replace("x-when: {set: [A]}", "description: Nowhere."),
        ),
        Mistake(
            "a-url-for-all-operations",
            "server",
            '- url: http://e\n  x-when: {set: [E]}\n  x-url: "{E}" # ! server',
        ),
        Mistake("an-origin-on-a-path", "path", host("h1", "x-origin: A # ! server", at_server="")),
        Mistake("no-url", "path", host("h2", url="")),
        Mistake("a-url-with-an-unknown-variable", "path", host("h3", url='x-url: "{B}"')),
        Mistake("a-url-that-is-a-path", "path", host("h4", url='x-url: "/{A}" # ! server', at_server="")),
        Mistake("a-certificate-of-an-unknown-variable", "path", host("h5", "x-certificate: B # ! server")),
        Mistake(
            "a-variable-that-is-set-and-unset", "path", host("h12").replace("{set: [A]}", "{set: [A], unset: [A]}")
        ),
        Mistake(
            "a-certificate-of-a-server-without-tls",
            "path",
            host("h13", "x-certificate: A # ! server", at_server=""),
        ),
        Mistake(
            "an-operation-that-stands-for-nothing", "path", host("h6", at_server="", target="No_Such # ! stands-for")
        ),
        Mistake(
            "an-operation-without-a-method-that-stands-for-nothing",
            "path",
            host("h7", at_server="", target="").replace("  get:", "  get: # ! stands-for"),
        ),
        Mistake(
            "a-stand-in-on-the-servers-of-the-document",
            "path",
            operation("h8", "x-stands-for: Versions_GetVersions").replace("  get:", "  get: # ! stands-for"),
        ),
        Mistake(
            "errors-of-an-operation-with-a-method",
            "path",
            operation("h9", "x-errors: [{status: 400}] # ! stands-for"),
        ),
        Mistake(
            "a-source-of-an-operation-with-a-method",
            "parameter",
            query("h10", "{type: string}", "", before="  x-from: A # ! stands-for", at="no"),
        ),
        *(
            Mistake(f"a-value-of-a-stand-in-{name}", "path", host(name, at_server="", parameter=parameter))
            for name, parameter in {
                "without-source": "{name: a, in: query, required: true, schema: {type: string}}",
                "that-is-never-sent": "{name: a, in: query, schema: {type: string}}",
                "of-no-argument": "{name: a, in: query, x-argument: b, x-from: A, schema: {type: string}}",
                "of-two-sources": "{name: X-A, in: header, x-from: A, x-from-file: B, schema: {format: password}}",
                "from-a-file-that-is-no-secret": "{name: X-A, in: header, x-from-file: B, schema: {type: string}}",
                "that-the-environment-cannot-have": "{name: a, in: query, x-from: B, schema: {type: integer}}",
                "in-a-url-that-is-secret": "{name: a, in: query, x-from: A, schema: {type: string, format: password}}",
            }.items()
        ),
        Mistake(
            "a-security-scheme-that-is-none", "path", operation("locked", "security: [{nothing: []}] # ! security")
        ),
        # Extensions
        Mistake("a-misspelt-extension", "path", operation("x1", "x-mutualy-exclusive: [[a, b]] # ! extension")),
        Mistake(
            "an-extension-of-a-server-that-is-misspelt",
            "server",
            "- url: http://c\n  x-nam: c # ! extension",
        ),
        Mistake(
            "an-extension-where-nothing-reads-it",
            "parameter",
            query("x2", "{type: string, x-cacheable: true}", "extension"),
        ),
        Mistake("an-extension-of-another-form", "path", operation("x3", "x-retry-statuses: 404 # ! extension")),
        Mistake(
            "a-low-level-value-that-is-none",
            "parameter",
            query("x6", "{enum: [a, b]}", "", before="  x-low-level-only: [c] # ! extension", at="no"),
        ),
        Mistake(
            "only-low-level-values",
            "parameter",
            query("x7", "{enum: [a, b]}", "", before="  x-low-level-only: [b, a] # ! extension", at="no"),
        ),
        Mistake(
            "low-level-values-of-no-enum",
            "parameter",
            query("x8", "{type: string}", "", before="  x-low-level-only: [c] # ! extension", at="no"),
        ),
        Mistake(
            "low-level-values-that-are-no-list",
            "parameter",
            query("x9", "{enum: [a, b]}", "", before="  x-low-level-only: a # ! extension", at="no"),
        ),
        Mistake(
            "a-resource-that-is-not-true-or-false",
            "parameter",
            query("x10", "{type: string}", "", before="  x-resource: vault # ! extension", at="no"),
        ),
        Mistake(
            "aliases-that-are-no-list",
            "parameter",
            query("x11", "{type: string}", "", before="  x-aliases: other # ! extension", at="no"),
        ),
        Mistake("an-exclusive-stranger", "path", operation("x4", "x-mutually-exclusive: [[a, b]] # ! extension")),
        Mistake("an-echoed-stranger", "path", operation("x5", "x-echoed: {a: [b]} # ! extension")),
    ],
}


@cache
def made(stage: str) -> str:
    text = CONTRACT
    for mistake in MISTAKES[stage]:
        text = mistake.made(text)
    return text


@cache
def specification(stage: str) -> Specification:
    return Specification(made(stage))


@cache
def findings(stage: str) -> list[Finding]:
    """The findings for openapi.yaml with all mistakes of one stage."""
    with pytest.raises(SpecificationError) as raised:
        lint.check(specification(stage))
    return raised.value.findings


def refused(text: str) -> list[Finding]:
    with pytest.raises(SpecificationError) as raised:
        lint.check(Specification(text))
    return raised.value.findings


def expected(text: str) -> set[tuple[int, str, str]]:
    """(line, rule, name of the mistake) for each mark."""
    marks = [(number, MADE_MARK.search(line)) for number, line in enumerate(text.splitlines(), 1)]
    return {(number, rule, mark[2]) for number, mark in marks if mark for rule in mark[1].split()}


CASES = [
    pytest.param(stage, mistake.name, id=f"{stage}-{mistake.name}")
    for stage, mistakes in MISTAKES.items()
    for mistake in mistakes
    if MARK.search(mistake.piece)
]


@pytest.mark.parametrize(("stage", "name"), CASES)
def test_a_mistake_is_refused_by_its_rule_at_its_line(stage: str, name: str) -> None:
    wanted = {(line, rule) for line, rule, mistake in expected(made(stage)) if mistake == name}
    assert wanted <= {(finding.line, finding.rule) for finding in findings(stage)}


@pytest.mark.parametrize("stage", MISTAKES)
def test_only_the_mistakes_are_refused(stage: str) -> None:
    wanted = {(line, rule) for line, rule, _ in expected(made(stage))}
    assert [str(finding) for finding in findings(stage) if (finding.line, finding.rule) not in wanted] == []


@pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: rule.__name__)
def test_every_rule_has_a_mistake_here(rule: Callable[[Specification], Iterator[Finding]]) -> None:
    assert list(rule(specification("rules")))


def test_a_finding_names_line_rule_reason_and_place() -> None:
    text = CONTRACT.replace("  /versions:\n", "  /versions:\n    x-foo: 1\n")
    line = text[: text.index("    x-foo")].count("\n") + 1
    assert str(refused(text)[0]) == (
        f"openapi.yaml:{line}: [extension] unknown extension 'x-foo'; "
        "this part of a document has none\n"
        "    at paths > /versions > x-foo"
    )


def test_all_findings_are_reported_together_in_document_order() -> None:
    lines = [finding.line for finding in findings("rules")]
    assert lines == sorted(lines)


@pytest.mark.parametrize("name", ["azure", "arc"])
def test_a_server_that_the_wrapper_needs_must_exist(name: str) -> None:
    text = CONTRACT.replace(f"    x-name: {name}\n", "    x-name: elsewhere\n")
    line = CONTRACT[: CONTRACT.index("\nservers:")].count("\n") + 2
    said = f"the wrapper needs servers with the x-name {name}"
    assert [(f.line, f.rule, f.message) for f in refused(text)] == [(line, "server", said)]


def test_a_server_that_is_used_if_no_other_is_recognized_must_exist() -> None:
    text = CONTRACT.replace("    x-name: azure\n", "    x-name: azure\n    x-when: {set: [X]}\n")
    line = CONTRACT[: CONTRACT.index("\nservers:")].count("\n") + 2
    said = "the document needs a server without x-when, for programs that recognize no other"
    assert [(f.line, f.rule, f.message) for f in refused(text)] == [(line, "server", said)]


def test_no_tag_can_hide_an_attribute_of_the_client() -> None:
    operations = {*dir(Operations)}
    attributes = {name for client in (ImdsClient, AsyncImdsClient) for name in dir(client) if not name.startswith("_")}
    assert attributes - operations <= lint.names.TAKEN_TAGS


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("", 1, "not a mapping", id="nothing"),
        pytest.param("# only a comment\n", 1, "not a mapping", id="a-comment"),
        pytest.param("- openapi\n", 1, "not a mapping", id="a-list"),
        pytest.param("openapi: 3.1.0\n\tinfo: {}\n", 2, "cannot start any token", id="a-tab"),
        pytest.param("openapi: 3.1.0\ninfo:\n  title: a: b\n", 3, "mapping values", id="a-colon"),
        pytest.param("openapi: 3.1.0\ninfo:\n  title: a\n  title: b\n", 4, 'duplicate key "title"', id="a-key-twice"),
        pytest.param("openapi: 3.1.0\ninfo: *nobody\n", 2, "undefined alias", id="an-alias-of-nothing"),
        pytest.param("openapi: 3.1.0\ninfo:\n  title: \a\n", 3, "unacceptable character", id="a-control-character"),
        pytest.param("openapi: 3.1.0\n---\nopenapi: 3.1.0\n", 2, "another document", id="two-documents"),
        pytest.param("openapi: 3.1.0\ninfo: [1, 2\n", 3, "expected ',' or ']'", id="an-open-list"),
    ],
)
def test_invalid_yaml_is_refused_at_its_line(text: str, line: int, reason: str) -> None:
    finding = refused(text)[0]
    assert (finding.line, finding.rule) == (line, "yaml")
    assert reason in finding.message


@pytest.mark.parametrize("version", ["3.0.3", "3.2.0", "2.0"])
def test_another_version_of_openapi_is_refused(version: str) -> None:
    finding = refused(f"# old\nopenapi: {version}\ninfo: {{title: x, version: '1'}}\npaths: {{}}\n")[0]
    assert (finding.line, finding.rule) == (2, "valid-openapi")


def test_a_document_without_operations_is_refused() -> None:
    finding = refused("openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {}\n")[0]
    assert (finding.line, finding.rule) == (3, "empty-path")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the small contract, and one file instead of the generated package."""
    (tmp_path / "openapi.yaml").write_text(CONTRACT, encoding="utf-8")
    package = tmp_path / "generated" / "azure_imds_api"
    package.mkdir(parents=True)
    (package / "__init__.py").write_bytes(b"# as it was\r\n")
    return tmp_path


def make(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "generator", "--root", str(project)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def files(project: Path) -> dict[str, bytes]:
    generated = project / "generated"
    return {str(f.relative_to(generated)): f.read_bytes() for f in generated.rglob("*") if f.is_file()}


def test_make_stops_with_the_line_and_the_rule(project: Path) -> None:
    text = CONTRACT.replace("operationId: Identity_GetInfo\n", "operationId: Identity_GetToken\n")
    (project / "openapi.yaml").write_text(text, encoding="utf-8")
    before = files(project)
    done = make(project)
    line = CONTRACT[: CONTRACT.index("operationId: Identity_GetInfo")].count("\n") + 1
    assert (done.returncode, files(project)) == (1, before)
    assert (
        f"openapi.yaml:{line}: [duplicate-operation-id] operationId 'Identity_GetToken' is already used" in done.stderr
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("  version: 1.0.0\n", "  version: 1.0\n", id="invalid-openapi"),
        pytest.param("paths:\n", "paths: [\n", id="invalid-yaml"),
    ],
)
def test_a_refusal_does_not_change_the_generated_files(project: Path, old: str, new: str) -> None:
    (project / "openapi.yaml").write_text(CONTRACT.replace(old, new), encoding="utf-8")
    before = files(project)
    with pytest.raises(SpecificationError):
        generate(project)
    assert files(project) == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda file: file.unlink(), "cannot be read: No such file or directory", id="missing"),
        pytest.param(lambda file: (file.unlink(), file.mkdir()), "cannot be read: Is a directory", id="a-folder"),
        pytest.param(
            lambda file: file.write_bytes(b"openapi: 3.1.0\n\xff"), "openapi.yaml:2: [yaml] not UTF-8", id="latin-1"
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(project: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(project / "openapi.yaml")
    with pytest.raises(SpecificationError, match=re.escape(said)):
        Specification.load(project / "openapi.yaml")


def test_make_without_a_contract_reports_it_without_a_traceback(project: Path) -> None:
    (project / "openapi.yaml").unlink()
    done = make(project)
    assert "openapi.yaml cannot be read: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
