"""Uses a generated package as callers would. generate.py runs this script with the package on its path.

It reads the plan (samples.trial_plan) from standard input, and writes problems as (place, message) to standard output.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

PACKAGE = "azure_imds_api"
SECRET = "<not to be seen>"


def import_everything(folder: str) -> None:
    package = importlib.import_module(PACKAGE)
    if Path(str(package.__file__)).resolve().parent.parent != Path(folder).resolve():
        raise ImportError(f"{PACKAGE} was imported from {package.__file__}")
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)


def read_strictly(model: Any, document: Any) -> Any:
    """Replaces the reader of odd documents. It would hide that a model cannot read its own sample."""
    return model._read(document)


def problems(entry: dict[str, Any]) -> Iterator[str]:
    try:
        yield from model_problems(entry) if "model" in entry else operation_problems(entry)
    except Exception as error:
        yield f"{type(error).__name__}: {error}"


def model_problems(entry: dict[str, Any]) -> Iterator[str]:
    model = getattr(importlib.import_module(f"{PACKAGE}.models"), entry["model"])
    secrets = importlib.import_module(f"{PACKAGE}.api").SECRETS
    for document in entry["documents"]:
        parsed = model.from_dict(document)
        yield from same(document, plain(parsed), f"model {entry['model']}")
        yield from (f"model {entry['model']} has no attribute for {name!r}" for name in left_over(parsed))
        hidden = {
            name: SECRET if name in secrets and isinstance(value, str) else value for name, value in document.items()
        }
        if SECRET in repr(model.from_dict(hidden)):
            yield f"model {entry['model']} shows a secret in its repr"


def operation_problems(entry: dict[str, Any]) -> Iterator[str]:
    offered, operation = (
        None,
        getattr(importlib.import_module(f"{PACKAGE}.api.{entry['tag']}"), entry["module"].upper()),
    )
    sent: list[tuple[Any, dict[str, Any]]] = []
    if entry["method"]:
        api = importlib.import_module(f"{PACKAGE}.api")
        method = getattr(getattr(api.Operations(lambda *call: sent.append(call)), entry["tag"]), entry["method"])
        twin = getattr(getattr(api.AsyncOperations(None), entry["tag"]), entry["method"])
        if inspect.signature(method) != inspect.signature(twin):
            yield "the synchronous and the asynchronous method differ"
        offered = set(inspect.signature(method).parameters)
    else:  # it stands for another operation

        def method(**values: Any) -> None:
            sent.append((operation, values))

    bodies = entry["bodies"] or [None]
    calls = [(entry["parameters"], body) for body in bodies]
    calls.append(
        (
            [p for p in entry["parameters"] if p["required"] and "default" not in p],
            bodies[-1] if entry["body_required"] else None,
        )
    )
    for parameters, body in calls:
        method(**arguments(entry, parameters, body, offered))
        yield from request_problems(entry, parameters, body, sent[-1][0].build(**sent[-1][1]))
    yield from answer_problems(entry, sent[0][0], arguments(entry, *calls[0]))


def arguments(
    entry: dict[str, Any], parameters: list[dict[str, Any]], body: Any, offered: set[str] | None = None
) -> dict[str, Any]:
    """Arguments by their Python names, which the operation's rules contain.

    With `offered`, leaves out fixed parameters, which the facade does not offer.
    """
    tag = importlib.import_module(f"{PACKAGE}.api.{entry['tag']}")
    operation = getattr(tag, entry["module"].upper())
    names = {(rule["name"], rule["in"]): name for name, rule in operation.rules.items()}
    found = {names[p["name"], p["in"]]: p["value"] for p in parameters}
    fixed = {names[p["name"], p["in"]] for p in parameters if p.get("default") == p["value"]}
    if offered is not None:
        found = {name: value for name, value in found.items() if name in offered or name not in fixed}
    if body is not None:
        module = importlib.import_module(f"{PACKAGE}.api.{entry['tag']}.{entry['module']}")
        models = importlib.import_module(f"{PACKAGE}.models")
        # Modules of operations import these names for type checkers only.
        types: dict[str, Any] = {name: getattr(models, name) for name in models.__all__}
        types.update(vars(importlib.import_module(f"{PACKAGE}.client")))
        signature = inspect.signature(module.sync_detailed, eval_str=True, locals=types)
        annotation = signature.parameters["body"].annotation
        kinds = [kind for kind in getattr(annotation, "__args__", (annotation,)) if hasattr(kind, "from_dict")]
        found["body"] = getattr(models, kinds[0].__name__).from_dict(body)
    return found


def request_problems(
    entry: dict[str, Any], parameters: list[dict[str, Any]], body: Any, request: dict[str, Any]
) -> Iterator[str]:
    wanted: dict[str, dict[str, Any]] = {"query": {}, "header": {}, "path": {}}
    for parameter in entry["parameters"]:
        if parameter in parameters:
            wanted[parameter["in"]][parameter["name"]] = parameter["value"]
        elif "default" in parameter:
            wanted[parameter["in"]][parameter["name"]] = parameter["default"]
    path = entry["request"]["path"]
    for name, value in wanted["path"].items():
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    headers = {name: text(value) for name, value in wanted["header"].items()}
    sent = {key: value for key, value in request.get("headers", {}).items() if key != "Content-Type"}
    yield from same(entry["request"]["method"], request["method"], "the method")
    yield from same(path, request["url"], "the path")
    yield from same(wanted["query"], request.get("params", {}), "the query")
    yield from same(headers, sent, "the headers")
    yield from same(body, request.get("json", request.get("data")), "the body")


def answer_problems(entry: dict[str, Any], operation: Any, given: dict[str, Any]) -> Iterator[str]:
    module = importlib.import_module(f"{PACKAGE}.api.{entry['tag']}.{entry['module']}")
    package = importlib.import_module(PACKAGE)
    for answer in entry["answers"]:
        content = json.dumps(answer["document"]) if answer["json"] else answer["document"]
        response = httpx.Response(answer["status"], content=content)
        name = f"the answer with status {answer['status']}"
        yield from same(answer["document"], plain(operation.parse(client=None, response=response)), name)
        transport = httpx.MockTransport(lambda _: response)  # noqa: B023
        client = package.AuthenticatedClient("http://host", "key", httpx_args={"transport": transport})
        yield from same(answer["document"], plain(module.sync_detailed(client=client, **given).parsed), name)


def same(wanted: Any, found: Any, what: str) -> Iterator[str]:
    if wanted != found:
        if isinstance(wanted, dict) and isinstance(found, dict):
            wrong = sorted(k for k in {*wanted, *found} if wanted.get(k, found) != found.get(k, wanted))
            yield f"{what}: wrong, missing or unexpected: {', '.join(map(repr, wrong))}"
        else:
            yield f"{what}: {found!r} instead of {wanted!r}"


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


def left_over(value: Any) -> Iterator[str]:
    """Names of members that no attribute holds, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from left_over(item)
    elif value and hasattr(value, "to_dict"):  # an absent object is false, and contains further ones without end
        yield from getattr(value, "additional_properties", {})
        for attribute in type(value).__attrs_attrs__:
            if attribute.name != "additional_properties":
                yield from left_over(getattr(value, attribute.name))


if __name__ == "__main__":
    import_everything(sys.argv[1])
    reader: Any = importlib.import_module(f"{PACKAGE}.lenient_reader")
    reader.read_leniently = read_strictly
    found = [(entry["place"], problem) for entry in json.load(sys.stdin) for problem in problems(entry)]
    sys.stdout.write(json.dumps(found))
