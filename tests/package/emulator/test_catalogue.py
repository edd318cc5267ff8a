"""Every observed or documented error, compared byte for byte with the collected examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azure_imds_emulator import Emulator
from emulator_support import exchange, get_raw

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
INSTANCE = "/metadata/instance?api-version=2021-02-01"
TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
LOAD_BALANCER = "/metadata/loadbalancer?api-version=2020-10-01"
EVENTS = "/metadata/scheduledevents?api-version=2020-07-01"

Provoke = Callable[[Emulator], tuple[bytes, bytes]]


def get(target: str, *headers: str, method: str = "GET") -> Provoke:
    return lambda emulator: get_raw(emulator, target, *headers, method=method)


def get_without_header(target: str) -> Provoke:
    """Sends a request without the Metadata header."""

    def provoke(emulator: Emulator) -> tuple[bytes, bytes]:
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        head, _, body = exchange(emulator, request.encode()).partition(b"\r\n\r\n")
        return head, body

    return provoke


def get_with_fault(target: str, **fault: Any) -> Provoke:
    def provoke(emulator: Emulator) -> tuple[bytes, bytes]:
        emulator.fail(**fault)
        return get_raw(emulator, target)

    return provoke


def get_token_of_identities(*names: str) -> Provoke:
    def provoke(emulator: Emulator) -> tuple[bytes, bytes]:
        emulator.machine.system_assigned = None
        for name in names:
            emulator.machine.add_user_assigned(name)
        return get_raw(emulator, TOKEN)

    return provoke


def get_without_load_balancer(emulator: Emulator) -> tuple[bytes, bytes]:
    emulator.machine.load_balancer = None
    return get_raw(emulator, LOAD_BALANCER)


def get_until_throttled(target: str) -> Provoke:
    def provoke(emulator: Emulator) -> tuple[bytes, bytes]:
        emulator.clock.freeze()
        emulator.limits.enabled = True
        while not (response := get_raw(emulator, target))[0].startswith(b"HTTP/1.1 429"):
            assert emulator.requests.total < 50
        return response

    return provoke


#: How to provoke each example. Examples that were not observed are included if the emulator follows them.
PROVOKED: dict[tuple[str, str], Provoke] = {
    ("instance", "missing-or-unsupported-api-version"): get("/metadata/instance"),
    ("instance", "missing-api-version-older-wording"): get_with_fault(INSTANCE, preset="older-api-version"),
    ("instance", "missing-metadata-header"): get_without_header(INSTANCE),
    ("instance", "x-forwarded-for"): get(INSTANCE, "X-Forwarded-For: 10.0.0.1"),
    ("instance", "leaf-with-format-json"): get(INSTANCE.replace("?", "/compute/name?")),
    ("instance", "duplicate-query-parameter"): get(f"{INSTANCE}&api-version=2021-02-01"),
    ("instance", "forbidden"): get_with_fault(INSTANCE, status=403),
    ("instance", "unknown-path"): get(INSTANCE.replace("?", "/compute/identity?")),
    ("instance", "unknown-category-root"): get("/metadata/identity"),
    ("instance", "method"): get(INSTANCE, method="PUT"),
    ("instance", "gone"): get_with_fault(INSTANCE, status=410),
    ("instance", "throttled"): get_until_throttled(INSTANCE),
    ("instance", "server-error"): get_with_fault(INSTANCE, status=500),
    ("instance", "unavailable"): get_with_fault(INSTANCE, status=503),
    ("identity", "missing-metadata-header"): get_without_header(TOKEN),
    ("identity", "identity-not-found"): get_token_of_identities(),
    ("identity", "multiple-user-assigned"): get_token_of_identities("id-a", "id-b"),
    ("identity", "legacy-missing-header"): get_with_fault(TOKEN, preset="legacy-missing-header"),
    ("identity", "not-found"): get_with_fault(TOKEN, status=404),
    ("identity", "method"): get(TOKEN, method="DELETE"),
    ("identity", "gone"): get_with_fault(TOKEN, status=410),
    ("identity", "throttled-observed"): get_until_throttled(TOKEN),
    ("identity", "throttled-spec"): get_with_fault(TOKEN, preset="throttled-spec"),
    ("identity", "server-error"): get_with_fault(TOKEN, status=500),
    ("identity", "token-failure"): get_with_fault(TOKEN, preset="token-failure"),
    ("scheduledevents", "missing-header"): get_without_header(EVENTS),
    ("scheduledevents", "bad-payload"): get(EVENTS, method="POST"),
    ("scheduledevents", "unsupported-api-version"): get(EVENTS.replace("2020-07-01", "2025-04-07")),
    ("loadbalancer", "missing-parameter"): get("/metadata/loadbalancer"),
    ("loadbalancer", "bad-parameter"): get(f"{LOAD_BALANCER}&format=xml"),
    ("loadbalancer", "unexpected"): get(f"{LOAD_BALANCER}&api-version=2020-10-01"),
    ("loadbalancer", "no-load-balancer"): get_without_load_balancer,
    ("loadbalancer", "unknown-path"): get("/metadata/loadbalancer/x"),
    ("loadbalancer", "not-provisioned"): get_with_fault(LOAD_BALANCER, preset="load-balancer-not-provisioned"),
    ("loadbalancer", "method"): get("/metadata/loadbalancer", method="POST"),
    ("loadbalancer", "throttled"): get_until_throttled(LOAD_BALANCER),
    ("loadbalancer", "unavailable"): get_with_fault(LOAD_BALANCER, status=503),
    ("host-proxy", "imds-restarting"): get_with_fault(INSTANCE, preset="imds-restarting"),
    ("host-proxy", "docker-desktop"): get_with_fault(INSTANCE, preset="docker-desktop"),
    ("host-proxy", "guest-proxy-agent-forbidden"): get_with_fault(INSTANCE, preset="guest-proxy-agent-forbidden"),
    ("host-proxy", "guest-proxy-agent-method"): get_with_fault(INSTANCE, preset="guest-proxy-agent-method"),
    ("host-proxy", "pod-identity-nmi"): get_with_fault(INSTANCE, preset="pod-identity-nmi"),
}

#: The examples list the newest versions of an earlier time.
NEWEST = ["2025-11-15", "2025-11-11", "2025-07-24"]

SPACED = {("instance", name) for name in ("unknown-path", "missing-metadata-header", "leaf-with-format-json")}

#: Examples whose text is not known. Other tests compare their code and status.
ELSEWHERE = {
    ("identity", "invalid-resource"): "the text is composed, only the code is documented",
    ("arc", "challenge"): "the body is not known",
    ("arc", "challenge-windows"): "the body is not known, and the path is that of another system",
    ("arc", "wrong-secret"): "the body is not known",
}


def load_examples() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (file.stem.removeprefix("errors-"), case["name"]): case
        for file in sorted(EXAMPLES.glob("errors-*.json"))
        if isinstance(cases := json.loads(file.read_text(encoding="utf-8")), list)
        for case in cases
    }


def test_every_example_is_covered() -> None:
    assert set(load_examples()) == set(PROVOKED) | set(ELSEWHERE)


@pytest.mark.parametrize("key", PROVOKED, ids="-".join)
def test_an_example_is_reproduced_byte_for_byte(emulator: Emulator, key: tuple[str, str]) -> None:
    case = load_examples()[key]
    head, body = PROVOKED[key](emulator)
    lines = head.decode().split("\r\n")
    assert lines[0].startswith(f"HTTP/1.1 {case['status']} ")
    if key in SPACED:
        # Observed with spaces inside the braces. The examples, which are JSON, do not contain them.
        assert body == b'{ "error": ' + json.dumps(case["body"]["error"]).encode() + b" }"
    elif isinstance(case["body"], str):
        assert body == case["body"].encode()
    else:
        if key == ("instance", "missing-or-unsupported-api-version"):
            case["body"]["newest-versions"] = NEWEST
        assert body == json.dumps(case["body"], separators=(",", ":")).encode()
    assert f"Content-Length: {len(body)}" in lines
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    for name, value in case["headers"].items():
        if name == "Server" and value.startswith("IMDS/"):
            assert headers["server"].startswith("IMDS/")
        else:
            assert headers[name.lower()] == value
    if "Server" not in case["headers"]:
        assert "server" not in headers


def test_the_error_for_a_missing_version_is_the_collected_document(emulator: Emulator) -> None:
    expected = json.loads((EXAMPLES / "errors-missing-api-version.json").read_text(encoding="utf-8"))
    expected["newest-versions"] = NEWEST
    assert get_raw(emulator, "/metadata/instance")[1] == json.dumps(expected, separators=(",", ":")).encode()
