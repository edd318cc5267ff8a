"""For any bytes, `verify` returns the data that Azure signed or raises AttestationError, and does nothing else.

`AZURE_IMDS_FUZZ=20000 pytest tests/package/attestation/test_attestation_fuzz.py`
tries 20,000 random inputs per test. Each run has other inputs.
"""

from __future__ import annotations

import base64
import copy
import json
import os
from contextlib import suppress
from functools import cache
from typing import Any

import httpx
import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attestation_support import (
    NOW,
    PAYLOAD,
    Node,
    authority,
    certificate_node,
    der,
    document,
    document_by,
    intermediate,
    leaf,
    parse_der,
    root,
    sign_again,
    trust,
    usage,
    wrapped,
)
from azure_imds.attestation import AttestationError, AttestedData, fetch_intermediates, verify
from azure_imds_emulator import Clock, Emulator

ADDRESS = "http://www.microsoft.com/x.crt"

FUZZ = os.environ.get("AZURE_IMDS_FUZZ")
fuzzed = settings(
    max_examples=int(FUZZ or 60),
    derandomize=FUZZ is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def outcome(anything: Any, **arguments: Any) -> AttestedData | AttestationError:
    try:
        return verify(anything, **trust(**arguments))
    except AttestationError as error:
        return error


@cache
def original() -> bytes:
    return der()


@cache
def accepted() -> AttestedData:
    return verify(wrapped(original()), **trust())


def check(changed: bytes) -> None:
    """No byte can be changed, except that an algorithm may have NULL parameters or none."""
    result = outcome(wrapped(changed))
    if isinstance(result, AttestedData):
        assert result == accepted()
        assert abs(len(changed) - len(original())) <= 3 * len(b"\x05\x00")


@given(st.binary(max_size=3000))
@fuzzed
def test_random_bytes(data: bytes) -> None:
    assert isinstance(outcome(wrapped(data)), AttestationError)


@given(st.text(max_size=500))
@fuzzed
def test_random_text(text: str) -> None:
    assert isinstance(outcome(text), AttestationError)
    assert isinstance(outcome({"encoding": "pkcs7", "signature": text}), AttestationError)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
envelopes = st.fixed_dictionaries({}, optional={"encoding": json_values | st.just("pkcs7"), "signature": json_values})


@given(json_values | envelopes | st.binary() | st.builds(object))
@fuzzed
def test_any_object(anything: Any) -> None:
    assert isinstance(outcome(anything), AttestationError)


@given(st.data())
@fuzzed
def test_a_valid_document_with_a_few_other_bytes(data: st.DataObject) -> None:
    changed = bytearray(original())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        kind = data.draw(st.sampled_from(["set", "flip", "insert", "delete", "copy"]))
        if kind == "set":
            changed[at] = data.draw(st.integers(0, 255))
        elif kind == "flip":
            changed[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "insert":
            changed[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        elif kind == "delete":
            del changed[at : at + data.draw(st.integers(1, 8))]
        else:
            begin = data.draw(st.integers(0, len(changed) - 1))
            changed[at:at] = changed[begin : begin + data.draw(st.integers(1, 200))]
    check(bytes(changed))


def test_a_document_with_one_changed_bit_is_refused() -> None:
    whole = original()
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1 << (at % 8)
        assert isinstance(outcome(wrapped(bytes(changed))), AttestationError), at


def test_a_document_cut_off_anywhere_is_refused() -> None:
    whole = original()
    for end in range(0, len(whole), 7):
        assert isinstance(outcome(wrapped(whole[:end])), AttestationError), end


@given(st.integers(0, 4000), st.sampled_from("A=+/ \n\0é_-"))
@fuzzed
def test_a_valid_document_with_another_character(at: int, character: str) -> None:
    text = base64.b64encode(original()).decode()
    result = outcome(text[:at] + character + text[at + 1 :])
    assert isinstance(result, AttestationError) or result == accepted()


@cache
def tree() -> Node:
    (node,) = parse_der(original())
    return node


odd_contents = st.binary(max_size=40) | st.sampled_from(
    [b"", b"\0", b"\xff" * 300, b"\x80" * 500, b"\x2a" + b"\xff" * 4000]
)


#: Of the values in certificates.
tags = st.integers(0, 255) | st.sampled_from(
    [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1C, 0x1E, 0x30, 0x31, 0x80, 0x81, 0x82]
)


def mutate(node: Node, draw: Any) -> None:
    target = draw(st.sampled_from(node.all()))
    kind = draw(st.sampled_from(["tag", "content", "drop", "double", "swap", "graft", "wrap", "empty"]))
    if kind == "tag":
        target.tag = draw(tags)
    elif kind == "content":
        target.parts, target.content = [], draw(odd_contents)
    elif kind == "empty":
        target.parts, target.content = [], b""
    elif kind == "drop" and target.parts:
        del target.parts[draw(st.integers(0, len(target.parts) - 1))]
    elif kind == "double" and target.parts:
        target.parts.append(copy.deepcopy(draw(st.sampled_from(target.parts))))
    elif kind == "swap" and len(target.parts) > 1:
        target.parts.reverse()
    elif kind == "graft":
        other = copy.deepcopy(draw(st.sampled_from(tree().all())))
        target.tag, target.content, target.parts = other.tag, other.content, other.parts
    elif kind == "wrap":
        target.parts = [copy.deepcopy(target)]
        target.tag = draw(st.sampled_from([0x30, 0x31, 0xA0, 0xA1, 0x24]))


@given(st.data())
@fuzzed
def test_a_valid_document_with_another_structure(data: st.DataObject) -> None:
    node = copy.deepcopy(tree())
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(node, data.draw)
    check(node.encode())


@given(st.data())
@fuzzed
def test_a_certificate_with_another_structure(data: st.DataObject) -> None:
    # Only within the certificate, so that the CMS around it stays readable.
    node = copy.deepcopy(tree())
    certificate = node.parts[1].parts[0].parts[3].parts[0]
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(certificate, data.draw)
    check(node.encode())


@cache
def chain() -> tuple[Node, Node]:
    """A leaf and its issuer as trees. The values of extensions are trees too."""
    limits = x509.NameConstraints([x509.DNSName("azure.com")], None)
    extra = [x509.Extension(limits.oid, True, limits)]
    above = authority("Test Issuing CA", root(), addresses=[ADDRESS], extra=extra, key_usage=usage(key_cert_sign=True))
    below = leaf(intermediate(), addresses=[ADDRESS], key_usage=usage(digital_signature=True))
    trees = certificate_node(below), certificate_node(above)
    for node in [value for tree in trees for value in tree.all()]:
        if node.tag == 0x04:
            with suppress(IndexError):  # not a value within a value
                parts = parse_der(node.content)
                node.parts = parts if b"".join(part.encode() for part in parts) == node.content else []
    return trees


def signed_again(draw: Any) -> tuple[dict[str, str], bytes]:
    """A document and its issuer with another structure and valid signatures, so that all checks are reached."""
    below, above = copy.deepcopy(chain())
    changes = draw(st.sampled_from([(1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (1, 1)]))
    for certificate, number in zip((below, above), changes, strict=True):
        to_sign = certificate.parts[0]
        for _ in range(number):
            # One of its parts first, since most of the values are in extensions.
            mutate(draw(st.sampled_from([to_sign, *to_sign.parts])), draw)
    if draw(st.booleans()):  # the names of issuer and leaf agree again
        with suppress(IndexError):
            below.parts[0].parts[3] = copy.deepcopy(above.parts[0].parts[5])
    return document_by(sign_again(below, intermediate())), sign_again(above, root()).encode()


def downloaded(given_document: Any, body: bytes) -> Any:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    try:
        return fetch_intermediates(given_document, transport=transport)
    except AttestationError as error:
        return error


def loads(certificate: bytes) -> bool:
    with suppress(Exception):  # ValueError, or a warning
        x509.load_der_x509_certificate(certificate)
        return True
    return False


def check_signed_again(given_document: Any, issuer: bytes) -> set[str]:
    """Verifies and downloads in all ways. Returns the reasons of the refusals, and "" for success."""
    issuers = [intermediate().certificate, None, [intermediate().der, issuer], issuer]
    results = [outcome(given_document, intermediates=some) for some in (issuers if loads(issuer) else issuers[:2])]
    found = downloaded(given_document, issuer)
    results += [found if isinstance(found, AttestationError) else outcome(given_document, intermediates=found)]
    assert all(result == accepted() for result in results if isinstance(result, AttestedData))
    return {result.reason if isinstance(result, AttestationError) else "" for result in results}


def test_a_certificate_with_another_structure_and_a_valid_signature() -> None:
    # pytest turns warnings into exceptions.
    reasons: set[str] = set()

    @given(st.data())
    @settings(fuzzed, max_examples=int(FUZZ or 150))
    def check_each(data: st.DataObject) -> None:
        reasons.update(check_signed_again(*signed_again(data.draw)))

    check_each()
    assert {"", "bad_certificate", "intermediate_missing", "untrusted_chain"} <= reasons, "later checks are not reached"


@given(st.integers(1, 3000), st.sampled_from([0x30, 0x31, 0xA0, 0x24]))
@fuzzed
def test_nested_values(depth: int, tag: int) -> None:
    data = b""
    for _ in range(depth):
        data = Node(tag, data).encode()
    assert isinstance(outcome(wrapped(data)), AttestationError)


texts = st.text(max_size=30)
stamps = st.sampled_from(["03/01/26 17:00:00 -0000", "13/45/99 25:61:61 -0000", "", "٠٣/٠١/٢٦ ١٧:٠٠:٠٠ -0000"])
payloads = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(PAYLOAD, json_values),
        "vmId": json_values | st.just(PAYLOAD["vmId"]),
        "timeStamp": json_values
        | st.fixed_dictionaries({}, optional={"createdOn": json_values | stamps, "expiresOn": json_values | stamps}),
        "timestamp": json_values,
        "plan": json_values | st.just(PAYLOAD["plan"]),
    },
)


@given(payloads | json_values, st.none() | st.text(min_size=1, max_size=12))
@fuzzed
def test_any_json_may_have_been_signed(payload: Any, nonce: str | None) -> None:
    content = json.dumps(payload).encode()
    result = outcome(document(content), nonce=nonce)
    if isinstance(result, AttestedData):
        assert isinstance(result.vm_id, str)
        assert nonce is None or result.nonce == nonce


@given(st.binary(max_size=300))
@fuzzed
def test_any_bytes_may_have_been_signed(content: bytes) -> None:
    assert isinstance(outcome(document(content)), AttestationError)


@given(texts.filter(bool), texts.filter(bool))
@fuzzed
def test_only_the_same_nonce_is_accepted(nonce: str, expected: str) -> None:
    given_document = document({**PAYLOAD, "nonce": nonce})
    assert isinstance(outcome(given_document, nonce=expected), AttestedData) == (nonce == expected)
    assert isinstance(outcome(given_document, nonce=nonce), AttestedData)


@given(st.binary(max_size=2000) | st.builds(lambda at: intermediate().der[:at], st.integers(0, 900)))
@fuzzed
def test_any_bytes_may_come_from_the_network(body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    given_document = document(by=leaf(intermediate(), addresses=["http://www.microsoft.com/x.crt"]))
    with suppress(AttestationError):
        assert fetch_intermediates(given_document, transport=transport) == [intermediate().certificate]


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
@fuzzed
def test_any_address_may_be_in_a_certificate(address: str) -> None:
    requested: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url)
        return httpx.Response(404)

    prefixes = ("", "http://www.microsoft.com", "http://")
    given_document = document(by=leaf(intermediate(), addresses=[prefix + address for prefix in prefixes]))
    with pytest.raises(AttestationError, match="issuer"):
        fetch_intermediates(given_document, transport=httpx.MockTransport(answer))
    assert {(url.scheme, url.host, url.port) for url in requested} <= {("http", "www.microsoft.com", None)}


@given(st.data())
@fuzzed
def test_the_emulators_document_with_a_few_other_bytes(data: st.DataObject) -> None:
    whole, arguments, expected = emulated()
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    result = outcome(wrapped(bytes(changed)), **arguments)
    assert isinstance(result, AttestationError) or result == expected


@cache
def emulated() -> tuple[bytes, dict[str, Any], AttestedData]:
    emulator = Emulator(clock=Clock(NOW, frozen=True))
    made = emulator.attested.build_document("2023-07-01", "1234567890")
    arguments = {"roots": emulator.attested_roots, "intermediates": emulator.attested_intermediates}
    return base64.b64decode(str(made["signature"])), arguments, verify(made, **trust(**arguments))


def test_the_unchanged_documents_are_accepted() -> None:
    assert accepted().to_dict() == PAYLOAD
    assert emulated()[2].vm_id
