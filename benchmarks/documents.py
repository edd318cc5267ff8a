"""Instance metadata: parsing the document into models."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import msgspec

from azure_imds import ImdsClient
from azure_imds_api.models import Instance

from .instructions import instructions_of
from .ratios import Growth, Ratio, over, seconds_of, turns

DOCUMENT = Path(__file__).parents[1] / "tests" / "data" / "examples" / "instance-2025-04-07.json"


def measure(quick: bool) -> Iterator[Ratio | Growth]:
    """Measures parsing alone, the whole call, and how the time grows with the size of the document."""
    rounds, times = (7, 100) if quick else (31, 400)
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    content = json.dumps(document, separators=(",", ":")).encode()
    build = _by_hand("Instance", document)
    shape = _shape("Instance", document)
    decoder = msgspec.json.Decoder(shape)
    contenders: dict[str, Callable[[], Any]] = {
        "ours": lambda: _read(content),
        "json.loads": lambda: json.loads(content),
        "attrs by hand": lambda: build(json.loads(content)),
        "msgspec": lambda: decoder.decode(content),
    }
    assert _read(content).to_dict() == document
    found = turns({name: _timed(action, times) for name, action in contenders.items()}, rounds)
    what = "get_metadata(): the full document read into models"
    by_hand = over(found["attrs by hand"], found["json.loads"])
    reason = (
        "The document becomes about 50 objects of Python. Handwritten attrs classes, which check nothing and keep no "
        f"unknown members, already take {statistics.median(by_hand):.1f} times as long as json.loads."
    )
    yield Ratio(what, "json.loads and handwritten attrs classes", over(found["ours"], found["attrs by hand"]))
    yield Ratio(what, "json.loads", over(found["ours"], found["json.loads"]), 2.3, reason=reason)
    if counted := _instructions():
        yield Ratio(f"{what}: instructions", "json.loads", (counted,), 2.3, margin=1.03, reason=reason)
    yield Ratio("json.loads and handwritten attrs classes", "json.loads", by_hand)
    yield Ratio(what, "msgspec (C) and handwritten structs", over(found["ours"], found["msgspec"]))
    yield _call(content, rounds, max(1, times // 4))
    yield _growth(document, rounds, max(1, times // 20))


def _instructions() -> float | None:
    """Returns the ratio of the instructions for one document. None if they cannot be counted."""
    start = f"import json; from azure_imds_api.models import Instance; content = open({str(DOCUMENT)!r}, 'rb').read()\n"
    start += "Instance.from_dict(json.loads(content))\n"  # imports the models
    programs = {
        "ours": f"{start}for _ in range(200): Instance.from_dict(json.loads(content))",
        "json.loads": f"{start}for _ in range(200): json.loads(content)",
        "nothing": start,
    }
    counted = instructions_of(sys.executable, programs, dict(os.environ))
    if not counted:
        return None
    return (counted["ours"] - counted["nothing"]) / (counted["json.loads"] - counted["nothing"])


def _read(content: bytes) -> Instance:
    return Instance.from_dict(json.loads(content))


def _timed(action: Any, times: int) -> Any:
    return lambda: seconds_of(action, times)


def _by_hand(name: str, value: Any) -> Any:
    """Returns a function that reads such a document into plain attrs classes, with the least work possible."""
    if isinstance(value, dict):
        parts = {key: _by_hand(f"{name}_{key}", member) for key, member in value.items()}
        made = attrs.make_class(name, list(parts), frozen=False)
        plain = [key for key, part in parts.items() if part is None]
        rest = [(key, part) for key, part in parts.items() if part is not None]
        lines = [f"{key}=d[{key!r}]" for key in plain] + [f"{key}=p_{key}(d[{key!r}])" for key, _ in rest]
        space: dict[str, Any] = {"made": made, **{f"p_{key}": part for key, part in rest}}
        exec(f"def read(d): return made({', '.join(lines)})", space)
        return space["read"]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        one = _by_hand(f"{name}_item", value[0])
        return lambda items: [one(item) for item in items]
    return None


def _shape(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        fields: list[Any] = [(key, _shape(f"{name}_{key}", member)) for key, member in value.items()]
        return msgspec.defstruct(name, fields)
    if isinstance(value, list):
        inner: Any = _shape(f"{name}_item", value[0]) if value else Any
        return list[inner]
    return type(value)


def _call(content: bytes, rounds: int, times: int) -> Ratio:
    """Compares the whole call with httpx over the same transport plus json.loads."""
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=content))
    with (
        ImdsClient("http://127.0.0.1", transport=transport) as imds,
        httpx.Client(transport=transport, base_url="http://127.0.0.1", trust_env=False) as bare,
    ):
        contenders = {
            "ours": lambda: imds.instances.get_metadata(),
            "bare": lambda: json.loads(bare.get("/metadata/instance", params={"api-version": "2023-11-15"}).content),
        }
        found = turns({name: _timed(action, times) for name, action in contenders.items()}, rounds)
    what = "get_metadata() without a network, with validation and models"
    return Ratio(what, "httpx and json.loads", over(found["ours"], found["bare"]))


def _growth(document: dict[str, Any], rounds: int, times: int) -> Growth:
    """Measures the time per number of network interfaces, relative to the smallest document."""
    sizes = (10, 100, 1000)
    interface = document["network"]["interface"][0]
    contents = [json.dumps({"network": {"interface": [interface] * size}}).encode() for size in sizes]
    costs = [[seconds_of(partial(_read, content), times) for content in contents] for _ in range(rounds)]
    relative = tuple(statistics.median(cost[i] / cost[0] for cost in costs) for i in range(len(sizes)))
    return Growth("reading a document", "network interfaces", tuple(map(float, sizes)), relative)
