"""The functions that parse values which IMDS sends as text."""

from __future__ import annotations

import copy
import errno
import socket
from ipaddress import ip_address
from typing import Any

import pytest

from azure_imds import (
    ImdsResponseError,
    ImdsUnavailableError,
    ImdsValidationError,
    _values,
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


def test_tags_are_read_from_the_list() -> None:
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


def test_a_document_without_compute_has_no_tags() -> None:
    assert tags(Instance.from_dict({"network": {"interface": []}})) == {}


def test_every_example_document_has_readable_tags() -> None:
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
    with pytest.raises(ImdsResponseError, match=r"^user_data: userData is not base64$") as caught:
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
    ("parse", "value", "expected"),
    [
        (as_bool, True, True),
        (as_bool, False, False),
        (as_bool, 0, False),
        (as_bool, 1, True),
        (as_int, 0, 0),
        (as_int, 30, 30),
        (as_int, 30.0, 30),
        (as_int, 2**63, 2**63),
    ],
)
def test_real_booleans_and_numbers_are_accepted(parse: Any, value: Any, expected: Any) -> None:
    result = parse(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        *((as_bool, value) for value in (2, -1, 0.5, [], {}, "0", "1")),
        *((as_int, value) for value in (True, False, -1, 1.5, float("nan"), float("inf"), [], {}, "9" * 5000)),
        *((as_address, value) for value in (0, False, True, 5, 1.5, [], {})),
    ],
)
def test_another_value_is_an_error_and_not_a_missing_value(parse: Any, value: Any) -> None:
    for name, place in (("", ""), ("compute/zone", "compute/zone: ")):
        with pytest.raises(ImdsResponseError) as caught:
            parse(value, name=name)
        assert str(caught.value) == f"{parse.__name__}: {place}expected {EXPECTED[parse]}"
        assert caught.value.__context__ is None


@pytest.mark.parametrize("parse", [as_bool, as_int, as_address])
def test_a_missing_value_with_a_name_is_none(parse: Any) -> None:
    assert parse(None, name="compute/zone") is parse("", name="compute/zone") is None


@pytest.mark.parametrize("value", [[], {}, ["a"], {"a": "b"}], ids=repr)
@pytest.mark.parametrize("member", ["name", "value"])
def test_a_tag_that_is_no_text_is_an_error_with_its_place(member: str, value: Any) -> None:
    machine = Instance.from_dict({"compute": {"tagsList": [{}, {"name": "a", "value": "b", member: value}]}})
    with pytest.raises(ImdsResponseError, match=rf"^tags: compute/tagsList/1/{member}: expected text$"):
        tags(machine)


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (False, "false"), (7, "7"), (None, ""), ("", "")])
def test_a_tag_with_a_real_boolean_or_number_is_text(value: Any, text: str) -> None:
    assert tags(Instance.from_dict({"compute": {"tagsList": [{"name": "a", "value": value}]}})) == {"a": text}


@pytest.mark.parametrize("value", [[], {}, ["a:b"]], ids=repr)
def test_old_tags_that_are_no_text_are_an_error(value: Any) -> None:
    with pytest.raises(ImdsResponseError, match=r"^tags: compute/tags: expected text$"):
        tags(Instance.from_dict({"compute": {"tags": value}}))


@pytest.mark.parametrize("value", [0, False, 7, True, 1.5, [], {}, ["x"]], ids=repr)
def test_user_data_that_is_no_text_is_an_error(value: Any) -> None:
    with pytest.raises(ImdsResponseError, match=r"^user_data: userData is not base64$"):
        user_data(Instance.from_dict({"compute": {"userData": value}}))


EXPECTED = {
    as_bool: '"true" or "false"',
    as_int: 'digits, such as "30"',
    as_address: 'an IP address, such as "10.0.0.4" or "[2001:db8::4]"',
}


@pytest.mark.parametrize(
    ("parse", "text"), [(as_bool, "yes"), (as_int, "-1"), (as_int, "٣"), (as_int, "1.5"), (as_address, "[10.0.0.1")]
)
def test_other_text_is_an_error_that_names_the_function_and_what_it_expects(parse: Any, text: str) -> None:
    with pytest.raises(ImdsResponseError) as caught:
        parse(text)
    assert str(caught.value) == f"{parse.__name__}: expected {EXPECTED[parse]}"
    assert caught.value.__context__ is None


def test_parsing_does_not_change_the_document() -> None:
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
    expected = r"^primary_interface: none of the document's 2 network interfaces has the address 192\.0\.2\.1$"
    with pytest.raises(ImdsResponseError, match=expected):
        primary_interface(Instance.from_dict(example("instance-2025-04-07")), local_address="192.0.2.1")


def test_an_invalid_local_address_is_an_invalid_argument() -> None:
    with pytest.raises(ImdsValidationError, match=r"^primary_interface: local_address must be an IP address") as caught:
        primary_interface(Instance.from_dict(example("instance-2025-04-07")), local_address="vm-0")
    assert caught.value.parameter == "local_address"
    assert caught.value.__context__ is None


def test_an_invalid_address_in_the_document_is_an_unreadable_response() -> None:
    document = example("instance-2025-04-07")
    document["network"]["interface"][0]["ipv4"]["ipAddress"][0]["privateIpAddress"] = "10.0.0"
    with pytest.raises(
        ImdsResponseError,
        match=r"^primary_interface: the document contains an invalid IP address: "
        r"network/interface/0/ipv4/ipAddress/0/privateIpAddress$",
    ):
        primary_interface(Instance.from_dict(document), local_address="192.0.2.1")


def test_the_operating_system_finds_the_local_address_without_sending_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    with pytest.raises(ImdsResponseError, match=r"127\.0\.0\.1"):
        primary_interface(Instance.from_dict(example("instance-2025-04-07")))


def test_no_route_to_imds_means_that_imds_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unroutable(socket.socket):
        def connect(self, address: Any) -> None:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(_values.socket, "socket", Unroutable)
    with pytest.raises(ImdsUnavailableError, match=r"^primary_interface: no route to IMDS: Network is unreachable$"):
        primary_interface(Instance.from_dict(example("instance-2025-04-07")))


@pytest.mark.parametrize("given", ["", 0, False, 5])
def test_an_empty_local_address_is_not_the_default(given: Any) -> None:
    with pytest.raises(ImdsValidationError, match=r"^primary_interface: local_address must be an IP address"):
        primary_interface(Instance.from_dict(example("instance-2025-04-07")), local_address=given)
