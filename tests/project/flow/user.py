"""Uses a changed client against a real HTTP server on loopback. batch.py runs this program.

It reads the checks of each edit from standard input, and writes the problems to standard output. Its arguments are the
folders from which the two packages must be imported.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import azure_imds
from azure_imds import _cli as command_line
from azure_imds_api import api, models
from azure_imds_emulator import Clock, Emulator, hosts
from support import COLOURS, Colour, FakeClock, Wire, raw_server, reply

NAMES = {"azure_imds": azure_imds, "api": api, "models": models, "inspect": inspect, "hosts": hosts}

#: The path of the API on a host.
BASE = urlsplit(api.SERVERS["azure"].url).path


def problems(check: dict[str, Any], colour: Colour, where: str) -> Iterator[str]:
    """The problems of one check with one client (synchronous, asyncio or trio), or of one command."""
    if "command" in check:
        yield from _command_problems(check) if colour is COLOURS[0] else ()
        return
    answers = check.get("answers") or [check.get("answer", {"status": 204})]
    wire = Wire(*map(_bytes, answers))
    client: Any = None
    result: Any = None
    error: Any = None

    def once(imds: Any) -> Any:
        # A warning must point at the line of the call, so the call's file name is `where`.
        return eval(compile(check.get("call", "None"), where, "eval"), NAMES | more | {"imds": imds})

    def act(imds: Any) -> Any:
        nonlocal client
        client = imds
        first = once(imds)
        if not check.get("twice"):
            return first
        return _both(first, imds, once) if inspect.isawaitable(first) else once(imds)

    with _server(check, wire) as (where_it_is, more):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                result = colour.run(act, **{"clock": FakeClock(), **where_it_is, **check.get("options", {})})
            except azure_imds.ImdsError as raised:
                error = raised
        name = type(error).__name__ if error else None
        if name != check.get("raises"):
            yield f"raised {error!r}, not {check.get('raises')}"
        yield from _warned(check, warned, where)
        yield from _sent(check, wire)
        names = NAMES | more | {"imds": client, "result": result, "error": error}
        for statement in check.get("holds", "").splitlines():
            try:
                true = eval(statement, names)
            except Exception as failure:
                yield f"{statement}: {failure!r}"
            else:
                if true is not True:
                    yield f"does not hold: {statement} (result {result!r}, error {error!r})"


def _command_problems(check: dict[str, Any]) -> Iterator[str]:
    """The problems of `azure-imds` with the arguments of a check."""
    wire = Wire(_bytes(check.get("answer", {"status": 204})))
    out, err = StringIO(), StringIO()
    with raw_server(wire) as url, redirect_stdout(out), redirect_stderr(err):
        status = command_line.main(["--endpoint", url, *check["command"]])
    wanted = check.get("prints", "")
    printed = out.getvalue() if isinstance(wanted, str) else json.loads(out.getvalue() or "null")
    if status != check.get("status", 0):
        yield f"ended with {status}, not {check.get('status', 0)}: {err.getvalue()}"
    if isinstance(wanted, str) and (wanted not in printed or (not wanted and printed)):
        yield f"printed {printed!r}, not {wanted!r}"
    elif not isinstance(wanted, str) and printed != wanted:
        yield f"printed {printed}, not {wanted}"
    if check.get("says", "") not in err.getvalue() or ("says" not in check and err.getvalue()):
        yield f"said {err.getvalue()!r}, not {check.get('says')!r}"
    yield from _sent(check, wire)


@contextmanager
def _server(check: dict[str, Any], wire: Wire) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yields how the client finds the server, and more names for expressions."""
    if "emulator" not in check:
        with raw_server(wire) as url, _host(check, url) as where_it_is:
            yield where_it_is, {"credential": _credential}
        return
    with Emulator(clock=Clock(FakeClock().now, frozen=True), **check["emulator"]) as emulator:
        environment = emulator.environment
        with patch.dict(os.environ, environment):
            more = {"emulator": emulator, "environment": environment, "credential": _credential, "doctor": _doctor}
            yield {}, more


def _credential(imds: Any) -> Any:
    is_async = isinstance(imds, azure_imds.AsyncImdsClient)
    return (azure_imds.AsyncImdsCredential if is_async else azure_imds.ImdsCredential)(client=imds)


@cache
def _doctor() -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from azure_imds._cli import main; main()", "doctor"], capture_output=True, text=True
    )
    return done.stdout


@contextmanager
def _host(check: dict[str, Any], url: str) -> Iterator[dict[str, Any]]:
    """Tells the client about the server: by an argument, or by the variables of a host in the environment."""
    variables = check.get("host")
    if variables is None:
        yield {"endpoint": url}
        return
    if variables == "arc":
        variables = {"IDENTITY_ENDPOINT": "{url}/metadata/identity/oauth2/token", "IMDS_ENDPOINT": "{url}"}
    with patch.dict(os.environ, {name: value.replace("{url}", url) for name, value in variables.items()}):
        yield {}


async def _both(first: Awaitable[Any], imds: Any, once: Callable[[Any], Any]) -> Any:
    await first
    return await once(imds)


def _bytes(answer: dict[str, Any]) -> bytes:
    headers = [f"{name}: {value}" for name, value in answer.get("headers", {}).items()]
    if "json" in answer:
        return reply(answer.get("status", 200), json.dumps(answer["json"]), "Content-Type: application/json", *headers)
    return reply(answer.get("status", 200), answer.get("text", ""), *headers)


def _warned(check: dict[str, Any], warned: list[warnings.WarningMessage], where: str) -> Iterator[str]:
    wanted = check.get("warns")
    said = [f"{one.category.__name__}: {one.message}" for one in warned]
    if (wanted is None and said) or (wanted is not None and said != [wanted]):
        yield f"warned {said}, not {wanted!r}"
    yield from (f"the warning points at {one.filename}" for one in warned if one.filename != where)


def _sent(check: dict[str, Any], wire: Wire) -> Iterator[str]:
    wanted = check.get("sent", {})
    count = wanted.get("requests")
    if count is not None and len(wire.requests) != count:
        yield f"sent {len(wire.requests)} requests, not {count}"
    if not wire.requests:
        if wanted.keys() - {"requests"}:
            yield "sent nothing"
        return
    method, target, _ = wire.requests[-1].decode().split(" ", 2)
    query = parse_qs(urlsplit(target).query, keep_blank_values=True)
    headers = dict(wire.headers())
    body = wire.requests[-1].partition(b"\r\n\r\n")[2]
    found: dict[str, Any] = {
        "method": method,
        "path": urlsplit(target).path.removeprefix(BASE),
        "whole_path": urlsplit(target).path,
        "body": json.loads(body) if body and "body" in wanted else None,
        **{f"query {name}": query.get(name) for name in wanted.get("query", ())},
        **{f"header {name}": headers.get(name.lower()) for name in wanted.get("headers", ())},
    }
    flat = {key: wanted[key] for key in ("method", "path", "whole_path", "body") if key in wanted}
    for name, value in wanted.get("query", {}).items():
        flat[f"query {name}"] = value if isinstance(value, list) or value is None else [value]
    flat |= {f"header {name}": value for name, value in wanted.get("headers", {}).items()}
    yield from (f"sent {key} {found[key]!r}, not {value!r}" for key, value in flat.items() if found[key] != value)


def main() -> None:
    for package, folder in zip((api, azure_imds), sys.argv[1:], strict=True):
        assert Path(folder) in Path(str(package.__file__)).parents, f"{package.__name__} came from {package.__file__}"
    report: dict[str, list[str]] = {}
    for edit in json.load(sys.stdin):
        report[edit["name"]] = [
            f"{colour}, check {number}: {re.sub(r'127.0.0.1:[0-9]+', 'HOST', problem)}"
            for number, check in enumerate(edit["checks"], 1)
            for colour in COLOURS
            for problem in problems(check, colour, f"<{edit['name']}>")
        ]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
