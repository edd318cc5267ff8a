"""Arguments that are refused before anything is sent, and the messages."""

from __future__ import annotations

import datetime
import itertools
import uuid
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import httpx
import pytest

from azure_imds import AsyncImdsClient, ImdsClient, ImdsValidationError, RetryPolicy
from azure_imds_api import models
from support import CLIENT_ID, RESOURCE, Colour, FakeClock, Script, answer, example, get_token, list_errors, ok

#: A part of bad values that no message may contain.
QUOTED = "tell-tale"

RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/group"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/identity"
)

BREAKING = {
    "CR LF": f"{QUOTED}\r\nX-Forwarded-For: 1.2.3.4",
    "CR": f"{QUOTED}\r",
    "LF": f"{QUOTED}\n",
    "LF first": f"\n{QUOTED}",
    "NUL": f"{QUOTED}\0",
    "tab": f"{QUOTED}\t",
    "DEL": f"{QUOTED}\x7f",
    "NEL": f"{QUOTED}\x85",
    "line separator": f"{QUOTED}\u2028",
    "lone surrogate": f"{QUOTED}\ud800",
}
BLANK = {"empty": "", "space": " ", "tabs": "\t\t", "no-break space": "\xa0", "newline": "\n"}
NOT_TEXT = {"int": 7, "bool": True, "bytes": QUOTED.encode(), "list": [QUOTED], "dict": {QUOTED: 1}, "object": object()}


def refused(colour: Colour, action: Callable[[Any], Any], script: Script | None = None) -> ImdsValidationError:
    """The error of a call, after checks that apply to all of them."""
    script = script or Script(ok())
    error = colour.error(action, transport=script, clock=FakeClock())
    assert isinstance(error, ImdsValidationError), repr(error)
    assert isinstance(error, ValueError)
    assert not script.requests
    assert (error.attempts, error.url, error.retryable) == (0, "", False)
    for one in list_errors(error):
        assert QUOTED not in f"{one} {one!r} {vars(one)}"
    return error


def token_with(**arguments: Any) -> Callable[[Any], Any]:
    return lambda imds: imds.identity.get_token(**{"resource": RESOURCE, **arguments})


@pytest.mark.parametrize("value", [*BLANK.values()], ids=[*BLANK])
def test_a_blank_resource_is_refused(colour: Colour, value: str) -> None:
    error = refused(colour, token_with(resource=value))
    assert error.parameter == "resource"
    assert "resource" in str(error)
    assert "empty" in str(error) or "blank" in str(error)


def test_a_resource_of_none_is_a_missing_argument(colour: Colour) -> None:
    error = refused(colour, token_with(resource=None))
    assert error.parameter == "resource"
    assert "required" in str(error)


@pytest.mark.parametrize("value", [*NOT_TEXT.values()], ids=[*NOT_TEXT])
@pytest.mark.parametrize("name", ["resource", "client_id", "object_id", "msi_res_id", "authority", "bypass_cache"])
def test_an_argument_of_another_type_is_refused(colour: Colour, name: str, value: object) -> None:
    error = refused(colour, token_with(**{name: value}))
    assert error.parameter == name
    assert type(value).__name__ in str(error), "the type helps, and is no secret"


@pytest.mark.parametrize("value", [*BREAKING.values()], ids=[*BREAKING])
@pytest.mark.parametrize("name", ["resource", "client_id", "object_id", "authority", "bypass_cache", "api_version"])
def test_characters_that_could_break_a_query_are_refused(colour: Colour, name: str, value: str) -> None:
    assert refused(colour, token_with(**{name: value})).parameter == name


@pytest.mark.parametrize("value", [*BREAKING.values()], ids=[*BREAKING])
def test_characters_that_could_break_a_resource_id_are_refused(colour: Colour, value: str) -> None:
    assert refused(colour, token_with(msi_res_id=f"/{value}")).parameter == "msi_res_id"


@pytest.mark.parametrize("value", [f"https://{QUOTED}.é", f"https://{QUOTED} net", f"https://{QUOTED}\u200b"])
def test_a_resource_is_visible_ascii(colour: Colour, value: str) -> None:
    assert refused(colour, token_with(resource=value)).parameter == "resource"


@pytest.mark.parametrize("name", ["client_id", "object_id"])
@pytest.mark.parametrize(
    "value",
    [
        QUOTED,
        CLIENT_ID[:-1],
        CLIENT_ID + "0",
        f"{{{CLIENT_ID}}}",
        f"urn:uuid:{CLIENT_ID}",
        CLIENT_ID.replace("-", ""),
        CLIENT_ID.replace("0", "g"),
        CLIENT_ID.replace("0", "٠"),
        CLIENT_ID.replace("-", "‐"),
        f" {CLIENT_ID}",
        f"{CLIENT_ID}\n",
        f"{CLIENT_ID}&bypass_cache=true",
        uuid.UUID(CLIENT_ID),
    ],
    ids=repr,
)
def test_an_id_that_is_not_a_uuid_is_refused(colour: Colour, name: str, value: object) -> None:
    assert refused(colour, token_with(**{name: value})).parameter == name


@pytest.mark.parametrize("value", [*BLANK.values()], ids=[*BLANK])
@pytest.mark.parametrize("name", ["client_id", "object_id", "msi_res_id"])
def test_an_empty_selector_never_means_the_system_identity(colour: Colour, name: str, value: str) -> None:
    assert refused(colour, token_with(**{name: value})).parameter == name


@pytest.mark.parametrize("value", [QUOTED, f"subscriptions/{QUOTED}", f"/{QUOTED} x", "/"])
def test_a_resource_id_is_a_path_without_blanks(colour: Colour, value: str) -> None:
    assert refused(colour, token_with(msi_res_id=value)).parameter == "msi_res_id"


SELECTORS = {"client_id": CLIENT_ID, "object_id": CLIENT_ID, "msi_res_id": RESOURCE_ID}


@pytest.mark.parametrize(
    "names", [*itertools.combinations(SELECTORS, 2), tuple(SELECTORS)], ids=lambda names: "+".join(names)
)
def test_an_identity_is_named_only_once(colour: Colour, names: tuple[str, ...]) -> None:
    error = refused(colour, token_with(**{name: SELECTORS[name] for name in names}))
    assert error.parameter in names
    assert "only one of" in str(error)
    assert all(name in str(error) for name in names)


@pytest.mark.parametrize("value", ["false", "True", "TRUE", "1", "", " true", False, True])
def test_bypass_cache_is_the_word_true_or_absent(colour: Colour, value: object) -> None:
    assert refused(colour, token_with(bypass_cache=value)).parameter == "bypass_cache"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "latest",
        "2018-2-1",
        "20180201",
        "2018-02-01 ",
        "2018-02-01\n",
        "٢٠١٨-٠٢-٠١",
        20180201,
        datetime.date(2018, 2, 1),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "call",
    [
        lambda imds, v: imds.identity.get_token(resource=RESOURCE, api_version=v),
        lambda imds, v: imds.identity.get_info(api_version=v),
        lambda imds, v: imds.instances.get_metadata(api_version=v),
        lambda imds, v: imds.attested.get_document(api_version=v),
        lambda imds, v: imds.scheduled_events.get_events(api_version=v),
        lambda imds, v: imds.load_balancer.get_metadata(api_version=v),
        lambda imds, v: imds.get("compute", api_version=v),
    ],
    ids=["token", "info", "instance", "attested", "events", "loadbalancer", "get"],
)
def test_a_version_has_the_form_of_a_date(call: Callable[[Any, object], Any], value: object) -> None:
    assert refused(Colour("sync"), lambda imds: call(imds, value)).parameter == "api_version"


@pytest.mark.parametrize(
    "value", ["a" * 33, "", " ", "a b", "a&b=c", "é", "a\r\nb", "٣", "a/b", 1234567890, b"1"], ids=repr
)
def test_a_nonce_is_up_to_32_letters_and_digits(colour: Colour, value: object) -> None:
    assert refused(colour, lambda imds: imds.attested.get_document(nonce=value)).parameter == "nonce"


def test_an_error_shows_the_length_of_a_nonce_but_not_the_nonce(colour: Colour) -> None:
    error = refused(colour, lambda imds: imds.attested.get_document(nonce=QUOTED * 5))
    assert "32" in str(error)


def test_a_nonce_of_32_letters_passes(colour: Colour) -> None:
    script = Script(answer(200, example("attested-document")))
    colour.run(lambda imds: imds.attested.get_document(nonce="a" * 32), transport=script)
    assert script.requests[0].url.params["nonce"] == "a" * 32


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"format_": "xml"}, "format_"),
        ({"format_": "text"}, "format_"),
        ({"format_": ""}, "format_"),
        ({"extended": "false"}, "extended"),
    ],
    ids=repr,
)
def test_a_word_that_is_not_in_the_list_is_refused(colour: Colour, arguments: dict[str, str], parameter: str) -> None:
    assert refused(colour, lambda imds: imds.instances.get_metadata(**arguments)).parameter == parameter


@pytest.mark.parametrize("value", ["", " ", "http://x", "https://a b", "a\r\nb", "ftp://x"], ids=repr)
def test_an_authority_is_a_host_or_an_https_url(colour: Colour, value: str) -> None:
    assert refused(colour, token_with(authority=value)).parameter == "authority"


# The body of a request


def body(*events: Any, **more: Any) -> models.StartEventsRequest:
    request = models.StartEventsRequest(start_requests=list(events))
    request.additional_properties.update(more)
    return request


def event(event_id: Any, **more: Any) -> models.StartRequest:
    request = models.StartRequest(event_id=event_id)
    request.additional_properties.update(more)
    return request


class Odd:
    """Has only the method of a model."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def to_dict(self) -> Any:
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


LOOP: dict[str, Any] = {}
LOOP["x"] = LOOP

BODIES: dict[str, Any] = {
    "none": None,
    "no events": body(),
    "events of none": models.StartEventsRequest(start_requests=None),  # type: ignore[arg-type]
    "events of another kind": body(object()),
    "event of none": body(None),
    "id of none": body(event(None)),
    "id of another type": body(event(7)),
    "empty id": body(event("")),
    "blank id": body(event(" ")),
    "id with a line end": body(event(f"{QUOTED}\r\n")),
    "id outside ASCII": body(event(f"{QUOTED}é")),
    "second id empty": body(event("A"), event("")),
    "dict": {"StartRequests": [{"EventId": QUOTED}]},
    "list": [QUOTED],
    "text": QUOTED,
    "class": models.StartEventsRequest,
    "another model": models.StartRequest(event_id=QUOTED),
    "model of nothing": Odd(None),
    "model of a list": Odd([QUOTED]),
    "model that fails": Odd(KeyError(QUOTED)),
    "missing EventId": Odd({"StartRequests": [{}]}),
    "events as a dict": Odd({"StartRequests": {"EventId": QUOTED}}),
    "member that is no JSON": body(event("A"), x=object()),
    "NaN": body(event("A", x=float("nan"))),
    "infinity": body(event("A", x=float("inf"))),
    "lone surrogate": body(event("A", x="\ud800")),
    "bytes": body(event("A", x=QUOTED.encode())),
    "loop": body(event("A", x=LOOP)),
}


@pytest.mark.parametrize("value", [*BODIES.values()], ids=[*BODIES])
def test_an_incomplete_request_body_is_refused(colour: Colour, value: object) -> None:
    script = Script(answer(200, {}))
    assert refused(colour, lambda imds: imds.scheduled_events.start_events(body=value), script).parameter == "body"


def test_the_place_in_a_body_is_named(colour: Colour) -> None:
    error = refused(colour, lambda imds: imds.scheduled_events.start_events(body=body(event("A"), event(""))))
    assert "body.StartRequests[1].EventId must not be empty" in str(error)


def test_an_event_id_is_sent_unchanged(colour: Colour) -> None:
    script = Script(answer(200, {}))
    sent = "a-B_c/0~!'\""
    colour.run(lambda imds: imds.scheduled_events.start_events(body=body(event(sent))), transport=script)
    assert script.requests[0].content == httpx.Request("GET", "http://x", json=body(event(sent)).to_dict()).content


# Paths of get()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "compute//location",
        "..",
        "compute/..",
        "compute/../../identity/oauth2/token",
        "./compute",
        "compute/.",
        "compute?format=text",
        "compute#x",
        "%2e%2e/identity",
        "compute%2flocation",
        "compute\\location",
        "compute\r\nX: y",
        "compute\0",
        "compute/\ud800",
        "compute/\u2028",
        None,
        7,
        b"compute",
        ["compute"],
    ],
    ids=repr,
)
def test_a_path_leads_to_a_node_of_the_document(colour: Colour, path: object) -> None:
    assert refused(colour, lambda imds: imds.get(path)).parameter == "path"


# The options of a client

NO_SECONDS = {
    "zero": 0,
    "negative": -1,
    "minus zero": -0.0,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "beyond a float": 10**400,
    "text": "5",
    "bool": True,
    "timedelta": datetime.timedelta(seconds=5),
    "Decimal": Decimal(5),
    "Fraction": Fraction(5),
    "complex": 5j,
    "list": [5],
}


@pytest.mark.parametrize("value", [*NO_SECONDS.values()], ids=[*NO_SECONDS])
@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize("kind", [ImdsClient, AsyncImdsClient])
def test_times_are_positive_seconds(kind: Any, name: str, value: object) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        kind(**{name: value})
    assert caught.value.parameter == name


@pytest.mark.parametrize("value", [*NO_SECONDS.values()], ids=[*NO_SECONDS])
@pytest.mark.parametrize("name", ["timeout", "deadline"])
@pytest.mark.parametrize("kind", [ImdsClient, AsyncImdsClient])
def test_a_sibling_s_times_are_checked_too(kind: Any, name: str, value: object) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        kind().with_options(**{name: value})
    assert caught.value.parameter == name


@pytest.mark.parametrize("value", [3, 0, False, "never", RetryPolicy, NOT_TEXT["bytes"]], ids=repr)
@pytest.mark.parametrize("kind", [ImdsClient, AsyncImdsClient])
def test_retry_is_a_policy_or_none(kind: Any, value: object) -> None:
    for make in (lambda: kind(retry=value), lambda: kind().with_options(retry=value)):
        with pytest.raises(ImdsValidationError) as caught:
            make()
        assert caught.value.parameter == "retry"


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 2.5},
        {"attempts": float("nan")},
        {"attempts": "3"},
        {"attempts": None},
        {"first_wait": float("inf")},
        {"first_wait": 10**400},
        {"first_wait": True},
        {"longest_wait": float("nan")},
        {"polite_wait": float("nan")},
    ],
    ids=lambda options: repr(options)[:40],
)
def test_a_policy_s_numbers_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        RetryPolicy(**options)
    assert caught.value.parameter in options


@pytest.mark.parametrize("value", [0, "", "http://x", b"http:", httpx.Client, httpx.MockTransport], ids=repr)
@pytest.mark.parametrize("name", ["transport", "http_client"])
@pytest.mark.parametrize("kind", [ImdsClient, AsyncImdsClient])
def test_transport_and_http_client_are_of_httpx(kind: Any, name: str, value: object) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        kind(**{name: value})
    assert caught.value.parameter == name


@pytest.mark.parametrize(
    ("kind", "option", "value"),
    [
        (ImdsClient, "transport", httpx.AsyncHTTPTransport),
        (AsyncImdsClient, "transport", httpx.HTTPTransport),
        (ImdsClient, "http_client", httpx.AsyncClient),
        (AsyncImdsClient, "http_client", httpx.Client),
    ],
    ids=["sync transport", "async transport", "sync client", "async client"],
)
def test_the_other_colour_of_httpx_is_refused(kind: Any, option: str, value: Any) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        kind(**{option: value()})
    assert caught.value.parameter == option
    assert ("Async" in str(caught.value)) is (kind is AsyncImdsClient), "the error names the right class"


def test_transport_and_http_client_exclude_each_other() -> None:
    with httpx.Client() as http, pytest.raises(ImdsValidationError, match="pass only one"):
        ImdsClient(transport=Script(ok()), http_client=http)


@pytest.mark.parametrize(
    "endpoint",
    ["http://a..b", "http://.", f"http://{'a' * 64}", "http://xn--", "http://[v1.a]", "http://@host", "http://ho%st"],
)
def test_an_endpoint_that_cannot_be_resolved_is_refused(endpoint: str) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        ImdsClient(endpoint=endpoint)
    assert caught.value.parameter == "endpoint"


@pytest.mark.parametrize("seconds", [1e-9, 3_000_000, 1e12, 10**300], ids="{:.0e}".format)
@pytest.mark.parametrize("name", ["timeout", "deadline"])
def test_any_positive_number_of_seconds_is_accepted(colour: Colour, name: str, seconds: float) -> None:
    script = Script(ok())
    assert colour.run(get_token, transport=script, clock=FakeClock(), **{name: seconds}).token_type == "Bearer"


class Choice(str, Enum):  # noqa: UP042 - a StrEnum has no other text than its value
    RESOURCE = RESOURCE
    IDENTITY = CLIENT_ID
    VERSION = "2021-02-01"


def test_members_of_an_enum_are_sent_as_their_values(colour: Colour) -> None:
    script = Script(ok(), answer(200, example("instance")), answer(200, example("instance")))
    colour.run(
        lambda imds: imds.identity.get_token(resource=Choice.RESOURCE, client_id=Choice.IDENTITY), transport=script
    )
    colour.run(lambda imds: imds.instances.get_metadata(api_version=Choice.VERSION), transport=script)
    colour.run(lambda imds: imds.instances.get_metadata(), transport=script, api_version=Choice.VERSION)
    token_request, *others = (dict(request.url.params) for request in script.requests)
    assert (token_request["resource"], token_request["client_id"]) == (RESOURCE, CLIENT_ID)
    assert others == [{"api-version": "2021-02-01"}] * 2


def test_the_arguments_of_a_token_request_are_sent_unchanged(colour: Colour) -> None:
    script = Script(ok())
    arguments = {"resource": "api://a/b?c=d&e=f+g%20#h", "msi_res_id": f"{RESOURCE_ID}-é+&="}
    colour.run(token_with(**arguments, bypass_cache="true", authority="login.microsoftonline.com"), transport=script)
    params = script.requests[0].url.params
    assert {name: params[name] for name in arguments} == arguments
    assert len(params) == len(params.multi_items()) == 5, "IMDS refuses a repeated name"
