"""Values that arrive as text, read as Python values."""

from __future__ import annotations

import copy
from ipaddress import ip_address
from typing import Any

import pytest

from azure_imds import (
    ImdsError,
    ImdsResponseError,
    as_address,
    as_bool,
    as_int,
    primary_interface,
    tags,
    user_data,
)
from azure_imds_api.models import Instance
from support import example


def instance(**compute: Any) -> Instance:
    return Instance.from_dict({"compute": compute, "network": {"interface": []}})


def test_tags_come_from_the_list() -> None:
    document = instance(tags="wrong:1", tagsList=[{"name": "a;b", "value": "c:d"}, {"name": "empty", "value": ""}])
    assert tags(document) == {"a;b": "c:d", "empty": ""}


def test_an_empty_list_means_no_tags_whatever_the_string_says() -> None:
    assert tags(instance(tags="a:1", tagsList=[])) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a:1", {"a": "1"}),
        ("Department:Example;Env:test;Note:a;b:c", {"Department": "Example", "Env": "test", "Note": "a", "b": "c"}),
        ("Note:a;b;c", {"Note": "a;b;c"}),
        ("url:http://x", {"url": "http://x"}),
        ("a:;b:2", {"a": "", "b": "2"}),
        (";", {}),
        ("nothing", {}),
    ],
)
def test_an_old_document_s_string_is_read_by_one_rule(text: str, expected: dict[str, str]) -> None:
    assert tags(instance(tags=text)) == expected


def test_a_classic_machine_has_no_compute_and_no_tags() -> None:
    assert tags(Instance.from_dict({"network": {"interface": []}})) == {}


def test_every_example_document_gives_tags() -> None:
    for name in ("instance", "instance-2018-10-01", "instance-2025-04-07", "instance-extended"):
        found = tags(Instance.from_dict(example(name)))
        assert found["Department"] == "Example", name


@pytest.mark.parametrize(
    ("text", "expected"), [("", b""), (None, b""), ("aGVsbG8=", b"hello"), ("aGVs\r\n bG8=\n", b"hello")]
)
def test_user_data_is_bytes(text: str | None, expected: bytes) -> None:
    assert user_data(instance(**({} if text is None else {"userData": text}))) == expected


@pytest.mark.parametrize("text", ["abc", "a$==", "é"])
def test_user_data_that_is_not_base64_is_a_clear_error(text: str) -> None:
    with pytest.raises(ImdsResponseError, match="userData") as caught:
        user_data(instance(userData=text))
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("True", True), ("FALSE", False), ("", None), (None, None)]
)
def test_booleans(text: str | None, expected: bool | None) -> None:
    assert as_bool(text) is expected


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("274877906944", 274877906944), ("", None), (None, None)])
def test_integers(text: str | None, expected: int | None) -> None:
    assert as_int(text) == expected


@pytest.mark.parametrize("text", ["203.0.113.1", "2001:db8::4", "[2001:db8::4]"])
def test_addresses_bare_or_in_brackets(text: str) -> None:
    assert as_address(text) == ip_address(text.strip("[]"))


def test_no_address() -> None:
    assert as_address("") is None
    assert as_address(None) is None


@pytest.mark.parametrize(
    ("read", "text"), [(as_bool, "yes"), (as_int, "-1"), (as_int, "٣"), (as_int, "1.5"), (as_address, "[10.0.0.1")]
)
def test_anything_else_is_a_clear_error(read: Any, text: str) -> None:
    with pytest.raises(ImdsResponseError):
        read(text)


def test_what_came_over_the_wire_is_untouched() -> None:
    document = example("instance-2025-04-07")
    parsed = Instance.from_dict(copy.deepcopy(document))
    tags(parsed), user_data(parsed)
    assert parsed.to_dict() == document


def test_the_primary_interface_is_the_one_with_this_machine_s_address_towards_imds() -> None:
    parsed = Instance.from_dict(example("instance-2025-04-07"))
    assert primary_interface(parsed, local_address="10.0.1.5").mac_address == "000D3A000002"
    assert primary_interface(parsed, local_address="10.0.0.4").mac_address == "000D3A000001"
    assert primary_interface(parsed, local_address="2001:db8::4").mac_address == "000D3A000001"


def test_a_single_interface_is_the_primary_one() -> None:
    document = example("instance-2025-04-07")
    del document["network"]["interface"][0]
    assert primary_interface(Instance.from_dict(document)).mac_address == "000D3A000002"


def test_no_interface_with_that_address_is_a_clear_error() -> None:
    with pytest.raises(ImdsError, match=r"none of the document's 2 network interfaces has the address 192\.0\.2\.1"):
        primary_interface(Instance.from_dict(example("instance-2025-04-07")), local_address="192.0.2.1")


def test_the_operating_system_is_asked_without_sending_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    with pytest.raises(ImdsError, match=r"127\.0\.0\.1"):
        primary_interface(Instance.from_dict(example("instance-2025-04-07")))
