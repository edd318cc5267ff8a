"""Facts of the specification that openapi-python-client does not pass to its templates.

The generator drops constraints, extensions, descriptions of tags and `format: password`. This module reads them from
the same document, and the templates write them next to the operations as data. So nothing has to be stated twice.
"""

from __future__ import annotations

import copy
import re
from operator import itemgetter
from typing import Any

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Property

from . import absence, stand_ins
from .names import method_name, public_name, python_name, python_tag
from .specification import Operation, Specification

#: The content type of a form.
FORM = "application/x-www-form-urlencoded"

#: JSON Schema keywords that the wrapper enforces on requests.
ENFORCED = (
    "type",
    "enum",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "items",
    "properties",
    "required",
)

#: Keywords for which an error message should show an example of a valid value.
_EXPLAINED = {"pattern", "minLength", "maxLength", "minimum", "maximum"}

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_NAMES = {"type": "array", "minItems": 1, "items": _TEXT}
#: The name of an environment variable.
VARIABLE: dict[str, Any] = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}

#: Where a value of a request on another host comes from.
_SOURCES: dict[str, dict[str, Any]] = {
    "x-argument": _TEXT,
    "x-from": VARIABLE,
    "x-from-file": VARIABLE,
    "x-suffix": _TEXT,
}

#: Errors of the wrapper that an error of a host may be, in addition to the class of its status.
ERROR_CLASSES = [
    "BadRequestError",
    "ForbiddenError",
    "IdentityNotFoundError",
    "InvalidResourceError",
    "MultipleIdentitiesError",
    "NotFoundError",
    "ServerError",
    "ThrottledError",
]

#: Our extensions with the schema of their values, by the kind of node that may have them.
EXTENSIONS: dict[str, dict[str, dict[str, Any]]] = {
    "operation": {
        "x-mutually-exclusive": {"type": "array", "items": {**_NAMES, "minItems": 2}},
        "x-echoed": {"type": "object", "additionalProperties": _NAMES},
        "x-retry-statuses": {"type": "array", "items": {"type": "integer", "minimum": 400, "maximum": 599}},
        "x-idempotent": {"type": "boolean"},
        "x-response-seconds": {"type": "number", "exclusiveMinimum": 0},
        "x-version-fallback": {"type": "boolean"},
        "x-cacheable": {"type": "boolean"},
        "x-hints": {
            "type": "object",
            "propertyNames": {"pattern": "^[45][0-9]{2}$"},
            "additionalProperties": {"type": "string"},
        },
        "x-stands-for": _TEXT,
        "x-retry-waits": {
            "type": "object",
            "propertyNames": {"pattern": "^[45][0-9]{2}$"},
            "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "number", "minimum": 0}},
        },
        "x-error-members": {
            "type": "object",
            "propertyNames": {"enum": ["error", "error_description", "request_id"]},
            "additionalProperties": _NAMES,
        },
        "x-errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["status"],
                "additionalProperties": False,
                "properties": {
                    "status": {"type": "integer", "minimum": 400, "maximum": 599},
                    "text": _TEXT,
                    "class": {"enum": ERROR_CLASSES},
                    "hint": _TEXT,
                    "when": {"enum": ["secret", "version", "identity", "resource"]},
                    "body": {"type": ["object", "string"]},
                },
            },
        },
    },
    "parameter": {
        "x-low-level-only": {"type": "array", "minItems": 1},
        "x-resource": {"type": "boolean"},
        "x-aliases": _NAMES,
        **_SOURCES,
    },
    "member": _SOURCES,
    "model": {absence.EXTENSION: {"enum": [absence.EMPTY]}},
    "server": {
        "x-name": _TEXT,
        "x-order": {"type": "integer", "minimum": 1},
        "x-api-version": _TEXT,
        "x-title": _TEXT,
        "x-when": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                "set": {**_NAMES, "items": VARIABLE},
                "unset": {**_NAMES, "items": VARIABLE},
                "files": {"type": "object", "additionalProperties": _TEXT},
            },
        },
        "x-origin": VARIABLE,
        "x-url": _TEXT,
        "x-certificate": VARIABLE,
        "x-proxies": {"type": "boolean"},
        "x-must-echo": {"type": "boolean"},
        "x-refused": _TEXT,
        "x-unreachable": _TEXT,
        "x-variables": {"type": "object", "propertyNames": VARIABLE, "additionalProperties": _TEXT},
    },
}


def example_of(specification: Specification, schema: dict[str, Any], parameter: dict[str, Any] | None = None) -> Any:
    """Returns a valid value: the parameter's example, the schema's example or its default. None without any."""
    for source in (parameter or {}, schema):
        if "example" in source:
            return source["example"]
        examples = source.get("examples") or []
        if isinstance(examples, dict):  # a parameter's examples have names
            examples = [specification.resolve(named).get("value") for named in examples.values()]
        if examples:
            return examples[0]
    return schema.get("default")


def is_json(content_type: str) -> bool:
    """Whether a body of this content type is parsed as JSON."""
    return content_type == "application/json" or content_type.endswith("+json")


def described(specification: Specification) -> dict[str, Any]:
    """A copy of the document with "Deprecated." in the descriptions of deprecated schemas, for their docstrings."""
    document = copy.deepcopy(specification.document)
    for node in specification.nodes():
        if node.is_schema and node.data.get("deprecated"):
            schema: Any = document
            for step in node.place:
                schema = schema[step]
            schema["description"] = f"{schema.get('description', '').strip()} Deprecated.".strip()
    return document


class Contract:
    """The facts that templates need. They identify operations by the generator's name, such as `identity_get_token`."""

    def __init__(self, specification: Specification) -> None:
        self._spec = specification
        self._operations = {python_name(o.id): o for o in specification.operations()}
        self.secrets = {
            name
            for node in specification.nodes()
            if node.is_schema
            for name, schema in node.data.get("properties", {}).items()
            if self._is_secret(schema)
        }
        self.version = str(specification.document["info"]["version"])
        #: Operations that have a method. An operation that stands for another has none.
        self.methods = {name for name, o in self._operations.items() if "x-stands-for" not in o.data}
        self.servers = stand_ins.servers(specification)
        #: What absent members read as, by class (absence.empty_forms).
        self.forms: dict[str, dict[str, str]] = {}

    def method(self, name: str) -> str:
        """The name of the facade's method."""
        return method_name(self._operations[name])

    def operation(self, name: str) -> Operation:
        """The operation as the document has it."""
        return self._operations[name]

    def is_open(self, name: str) -> bool:
        """Whether the operation accepts requests without credentials."""
        return {} in self._operations[name].data.get("security", [{}])

    def deprecation(self, name: str) -> str:
        """The warning for callers of a deprecated operation. "" if it is not deprecated."""
        operation = self._operations[name]
        if not operation.data.get("deprecated"):
            return ""
        description = operation.data.get("description") or operation.data.get("summary") or ""
        return _deprecated(public_name(operation), str(description))

    def deprecated_arguments(self, name: str) -> dict[str, str]:
        """The warnings for deprecated arguments, by Python name."""
        messages: dict[str, str] = {}
        for _, parameter in self._spec.parameters(self._operations[name]):
            argument, schema = python_name(parameter["name"]), self._spec.resolve(parameter["schema"])
            if parameter.get("deprecated") or schema.get("deprecated"):
                messages[argument] = _deprecated(argument, str(schema.get("description", "")))
        return messages

    def facts(self, name: str) -> dict[str, Any]:
        """The keyword arguments of the generated `Operation`."""
        operation = self._operations[name]
        data = operation.data
        facts: dict[str, Any] = {
            "id": operation.id,
            "name": public_name(stand_ins.stood_for(self._spec, operation) or operation),
            "method": operation.method.upper(),
            "path": operation.path,
            "success": self._success_ranges(operation),
            "rules": self._rules(operation),
        }
        required = self._required(operation)
        if required:
            facts["required"] = required
        answer = self._answer(operation)
        if answer:
            facts["answer"] = answer
        optional = {
            "exclusive": [[python_name(n) for n in group] for group in data.get("x-mutually-exclusive", ())],
            "echoed": {self._argument(operation, n): members for n, members in data.get("x-echoed", {}).items()},
            "retry_statuses": data.get("x-retry-statuses", []),
            "idempotent": operation.method in ("get", "head", "options", "put", "delete")
            or data.get("x-idempotent", False),
            "response_seconds": data.get("x-response-seconds"),
            "version_fallback": data.get("x-version-fallback"),
            "cacheable": data.get("x-cacheable"),
            "hints": {int(status): hint for status, hint in data.get("x-hints", {}).items()},
            "retry_waits": {int(status): waits for status, waits in data.get("x-retry-waits", {}).items()},
            "error_members": data.get("x-error-members"),
        }
        return facts | {key: value for key, value in optional.items() if value}

    def _argument(self, operation: Operation, parameter: str) -> str:
        """The argument of the facade that a parameter carries."""
        for source in stand_ins.sources(self._spec, operation):
            if source["name"] == python_name(parameter):
                return str(source.get("argument", parameter))
        return python_name(parameter)

    def sources(self, name: str) -> list[dict[str, Any]]:
        """Where the values of a request on another host come from. Empty for an operation with a method."""
        return stand_ins.sources(self._spec, self._operations[name])

    def errors(self, name: str) -> list[dict[str, Any]]:
        """The errors of the operation that have a class or a hint of their own."""
        found: list[dict[str, Any]] = []
        for error in self._operations[name].data.get("x-errors", ()):
            facts = {"status": error["status"], "text": error.get("text", "").lower()}
            facts |= {"kind": error.get("class", ""), "hint": error.get("hint", "")}
            if facts["kind"] or facts["hint"]:
                found.append({key: value for key, value in facts.items() if value})
        return found

    def fixed(self, name: str) -> list[str]:
        """Parameters whose only valid value is their default, so that the facade does not offer them."""
        schemas = [(p, self._spec.resolve(p["schema"])) for _, p in self._spec.parameters(self._operations[name])]
        return [p["name"] for p, s in schemas if p.get("required") and s.get("enum", ()) == [s.get("default")]]

    def keywords(self, endpoint: Endpoint) -> list[tuple[Property, bool]]:
        """The facade's keyword arguments of one endpoint, the required ones first, and whether each is optional."""
        fixed = self.fixed(endpoint.name)
        properties = [body.prop for body in endpoint.bodies[:1]]
        properties += [*endpoint.query_parameters, *endpoint.header_parameters, *endpoint.cookie_parameters]
        keywords = [(p, not p.required or p.default is not None) for p in properties if p.name not in fixed]
        return sorted(keywords, key=itemgetter(1))

    def literal(self, name: str, parameter: str) -> str:
        """The type of an argument of which the facade offers only some values (`x-low-level-only`); "" for others."""
        for _, data in self._spec.parameters(self._operations[name]):
            if data["name"] == parameter and "x-low-level-only" in data:
                return f"Literal[{', '.join(map(repr, self._offered(data)))}]"
        return ""

    def _offered(self, parameter: dict[str, Any]) -> list[Any]:
        """The values of an enumeration that the facade offers."""
        values = self._spec.resolve(parameter["schema"]).get("enum", [])
        return [value for value in values if value not in parameter.get("x-low-level-only", ())]

    def tag(self, name: str) -> str:
        """The description of a tag, given by its Python name."""
        for tag in self._spec.document.get("tags") or ():
            if python_tag(tag["name"]) == name and tag.get("description"):
                return " ".join(str(tag["description"]).split())
        return f"The {name} operations."

    def summary(self, name: str) -> str:
        """The summary of an operation. Without one, its request."""
        operation = self._operations[name]
        return str(operation.data.get("summary", "")).strip() or f"{operation.method.upper()} {operation.path}"

    def success(self, name: str) -> str:
        """The description of an operation's first success."""
        responses = self._operations[name].data["responses"]
        code = min(code for code in responses if str(code).startswith("2"))
        return " ".join(str(self._spec.resolve(responses[code])["description"]).split())

    def describe(self, name: str, parameter: str) -> str:
        """The description of one argument, including its default, for the facade's docstring."""
        for _, data in self._spec.parameters(self._operations[name]):
            if data["name"] == parameter:
                schema = self._spec.resolve(data["schema"])
                default = f" Default: {schema['default']}." if "default" in schema else ""
                deprecated = " Deprecated." if data.get("deprecated") or schema.get("deprecated") else ""
                described = str(schema.get("description", "")).strip()
                described = described or f"Sent as `{data['name']}` in the {data['in']}."
                return described + default + deprecated
        body = self._spec.resolve(self._operations[name].data.get("requestBody", {}))
        return str(body.get("description", "The request's body.")).strip()

    def rule(self, schema: Any, parameter: dict[str, Any] | None = None) -> dict[str, Any]:
        """Reduces a request schema to what the wrapper enforces, with references resolved.

        Where the rule has a pattern or limits, it also has an `example` of a valid value, if the contract has one.
        """
        schema = self._spec.resolve(schema)
        rule: dict[str, Any] = {}
        for keyword in ENFORCED:
            if keyword not in schema:
                continue
            value = schema[keyword]
            if keyword == "properties":
                value = {name: self.rule(sub) for name, sub in value.items()}
            elif keyword == "items":
                value = self.rule(value)
            elif keyword == "pattern":
                value = python_pattern(value)
            rule[keyword] = value
        example = example_of(self._spec, schema, parameter)
        if example is not None and _EXPLAINED & rule.keys():
            rule["example"] = example
        return rule

    def _rules(self, operation: Operation) -> dict[str, Any]:
        rules: dict[str, Any] = {}
        for _, parameter in self._spec.parameters(operation):
            rule = self.rule(parameter.get("schema", {}), parameter)
            if "x-low-level-only" in parameter:
                rule["enum"] = self._offered(parameter)
            if parameter.get("x-resource"):
                rule["resource"] = True
            if "x-aliases" in parameter:
                rule["aliases"] = parameter["x-aliases"]
            if parameter["in"] == "path":
                rule["minLength"] = max(1, rule.get("minLength", 1))
            rules[python_name(parameter["name"])] = {"name": parameter["name"], "in": parameter["in"], **rule}
        body = self._spec.resolve(operation.data.get("requestBody", {}))
        for media in body.get("content", {}).values():
            rules["body"] = {"name": "body", "in": "body", **self.rule(media.get("schema", {}))}
            break
        return rules

    def _required(self, operation: Operation) -> list[str]:
        """The arguments that a caller must pass: required ones without a default."""
        names = [
            python_name(p["name"])
            for _, p in self._spec.parameters(operation)
            if p.get("required") and "default" not in self._spec.resolve(p["schema"])
        ]
        body = self._spec.resolve(operation.data.get("requestBody", {}))
        return names + (["body"] if body.get("required") else [])

    def _success_ranges(self, operation: Operation) -> list[tuple[int, int]]:
        ranges: list[tuple[int, int]] = []
        for code in operation.data["responses"]:
            if str(code).startswith("2"):
                low, high = str(code).upper().replace("X", "0"), str(code).upper().replace("X", "9")
                ranges.append((int(low), int(high)))
        return sorted(ranges)

    def _answer(self, operation: Operation) -> dict[str, Any]:
        """A schema of what the generated code needs to parse a JSON success: required members and their types."""
        for code, response in operation.data["responses"].items():
            for content_type, media in self._spec.resolve(response).get("content", {}).items():
                if str(code).startswith("2") and is_json(content_type):
                    return self._skeleton(media.get("schema", {}))
        return {}

    def _skeleton(self, schema: Any, above: tuple[int, ...] = ()) -> dict[str, Any]:
        _, target = self._spec.follow((), schema)
        if id(target) in above:  # a recursive schema that requires itself has no finite document
            return {}
        above = (*above, id(target))
        schema = self._spec.resolve(target)
        kept: dict[str, Any] = {key: schema[key] for key in ("type", "minLength") if key in schema}
        required = [name for name in schema.get("required", []) if name in schema.get("properties", {})]
        if required:
            kept["required"] = required
            kept["properties"] = {name: self._skeleton(schema["properties"][name], above) for name in required}
        if "items" in schema:
            kept["items"] = self._skeleton(schema["items"], above)
        return kept

    def _is_secret(self, schema: Any, above: tuple[int, ...] = ()) -> bool:
        """Whether a value of this schema is a secret (`format: password`), or a list, map or union with secrets."""
        _, target = self._spec.follow((), schema)
        if not isinstance(target, dict) or id(target) in above:
            return False
        parts = [target[key] for key in ("items", "additionalProperties") if key in target]
        parts += [part for key in ("anyOf", "oneOf", "allOf") for part in target.get(key, ())]
        return target.get("format") == "password" or any(self._is_secret(p, (*above, id(target))) for p in parts)


def _deprecated(name: str, description: str) -> str:
    """The text of a warning. Contains the first paragraph of the description, which says what to use instead."""
    first_paragraph = " ".join(description.strip().split("\n\n")[0].split())
    return f"{name} is deprecated: {first_paragraph}" if first_paragraph else f"{name} is deprecated"


def python_pattern(pattern: str) -> str:
    r"""Converts a pattern from ECMA-262, which JSON Schema uses, to Python's `re`.

    In ECMA-262 `$` matches only at the end, in Python also before a final line feed. ECMA's `\d` and `\w` match ASCII.
    """
    classes = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
    out, inside = "", False
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if part in classes:
            part = classes[part] if inside else f"[{classes[part]}]"
        elif part == "$" and not inside:
            part = r"\Z"
        elif part in "[]":
            inside = part == "["
        out += part
    return out
