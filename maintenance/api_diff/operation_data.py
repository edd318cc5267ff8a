"""Prints the operation data and the servers of a generated client, as JSON.

This is a program. It runs in its own process, with the client of one version on PYTHONPATH.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from typing import Any

import azure_imds_api.api as api


def read_data() -> dict[str, Any]:
    """Returns the constraints, defaults and other data of each operation, the servers, and the names of secrets."""
    operations: dict[str, Any] = {}
    for module in pkgutil.iter_modules(api.__path__):
        for name, operation in vars(importlib.import_module(f"{api.__name__}.{module.name}")).items():
            if isinstance(operation, api.Operation):
                facts = {fact: getattr(operation, fact) for fact in inspect.signature(api.Operation).parameters}
                build = inspect.signature(facts.pop("build")).parameters
                facts = {fact: value for fact, value in facts.items() if fact not in ("parse", "body")}
                defaults = {n: p.default for n, p in build.items() if isinstance(p.default, (str, int, float, bool))}
                method = name.lower().removeprefix(f"{module.name}_")
                operations[f"{module.name}.{method}"] = {**facts, "defaults": defaults}
    servers = {name: {"url": s.url, "api_version": s.api_version} for name, s in api.SERVERS.items()}
    return {"operations": operations, "servers": servers, "secrets": list(api.SECRETS)}


if __name__ == "__main__":
    json.dump(read_data(), sys.stdout)
