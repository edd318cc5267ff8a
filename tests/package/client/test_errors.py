"""How responses of IMDS and of other servers are mapped to errors: class, attributes and text."""

from __future__ import annotations

import copy
import gzip
import json
import pickle
import time
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from azure_imds import (
    ArcChallengeError,
    BadRequestError,
    ForbiddenError,
    GoneError,
    IdentityNotFoundError,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    ImdsValidationError,
    InvalidResourceError,
    MultipleIdentitiesError,
    NotFoundError,
    RetryPolicy,
    ServerError,
    ThrottledError,
    UnsupportedApiVersionError,
)
from azure_imds_api import models
from support import (
    CANARY,
    COLOURS,
    Colour,
    FakeClock,
    Script,
    Wire,
    answer,
    example,
    get_token,
    list_foreign,
    ok,
    raw_server,
    reply,
    token,
)

Action = Callable[[Any], Any]

BASE = "http://169.254.169.254/metadata"


def start_events(imds: Any) -> Any:
    body = models.StartEventsRequest.from_dict(example("scheduledevents-start-request"))
    return imds.scheduled_events.start_events(body=body)


ASKED: dict[str, tuple[Action, str]] = {
    "identity": (get_token, f"{BASE}/identity/oauth2/token"),
    "instance": (lambda imds: imds.instances.get_metadata(), f"{BASE}/instance"),
    "loadbalancer": (lambda imds: imds.load_balancer.get_metadata(), f"{BASE}/loadbalancer"),
    "scheduledevents": (lambda imds: imds.scheduled_events.get_events(), f"{BASE}/scheduledevents"),
    "host-proxy": (get_token, f"{BASE}/identity/oauth2/token"),
    "arc": (get_token, f"{BASE}/identity/oauth2/token"),
}

#: By document and case: the class, and a part of the hint if there is one.
EXPECTED: dict[tuple[str, str], tuple[type[ImdsError], str]] = {
    ("identity", "missing-metadata-header"): (BadRequestError, "something between this process and IMDS removed it"),
    ("identity", "identity-not-found"): (IdentityNotFoundError, "Assign a managed identity"),
    ("identity", "multiple-user-assigned"): (MultipleIdentitiesError, "client_id, object_id or msi_res_id"),
    ("identity", "invalid-resource"): (InvalidResourceError, "/.default"),
    ("identity", "legacy-missing-header"): (BadRequestError, "something between this process and IMDS removed it"),
    ("identity", "not-found"): (NotFoundError, "."),
    ("identity", "method"): (ImdsStatusError, ""),
    ("identity", "gone"): (GoneError, "70 seconds"),
    ("identity", "throttled-observed"): (ThrottledError, "20 per second"),
    ("identity", "throttled-spec"): (ThrottledError, "20 per second"),
    ("identity", "server-error"): (ServerError, "Try again in a minute"),
    ("identity", "token-failure"): (ServerError, ""),
    ("instance", "missing-or-unsupported-api-version"): (UnsupportedApiVersionError, "2024-07-17"),
    ("instance", "missing-api-version-older-wording"): (UnsupportedApiVersionError, "2020-09-01"),
    ("instance", "missing-metadata-header"): (BadRequestError, "something between this process and IMDS removed it"),
    ("instance", "x-forwarded-for"): (BadRequestError, ""),
    ("instance", "leaf-with-format-json"): (BadRequestError, ""),
    ("instance", "duplicate-query-parameter"): (BadRequestError, ""),
    ("instance", "forbidden"): (ForbiddenError, "Something between this process and IMDS blocks the request"),
    ("instance", "unknown-path"): (NotFoundError, "."),
    ("instance", "unknown-category-root"): (NotFoundError, "."),
    ("instance", "method"): (ImdsStatusError, ""),
    ("instance", "gone"): (GoneError, "70 seconds"),
    ("instance", "throttled"): (ThrottledError, "5 requests per second"),
    ("instance", "server-error"): (ServerError, "Try again in a minute"),
    ("instance", "unavailable"): (ServerError, "Try again in a minute"),
    ("loadbalancer", "missing-parameter"): (BadRequestError, ""),
    ("loadbalancer", "bad-parameter"): (BadRequestError, ""),
    ("loadbalancer", "unexpected"): (BadRequestError, ""),
    ("loadbalancer", "no-load-balancer"): (NotFoundError, "."),
    ("loadbalancer", "unknown-path"): (NotFoundError, "."),
    ("loadbalancer", "not-provisioned"): (NotFoundError, "."),
    ("loadbalancer", "method"): (ImdsStatusError, ""),
    ("loadbalancer", "throttled"): (ThrottledError, "5 requests per second"),
    ("loadbalancer", "unavailable"): (ServerError, ""),
    ("scheduledevents", "missing-header"): (BadRequestError, ""),
    ("scheduledevents", "bad-payload"): (BadRequestError, ""),
    ("scheduledevents", "unsupported-api-version"): (BadRequestError, ""),
    ("host-proxy", "imds-restarting"): (ServerError, "Something other than IMDS"),
    ("host-proxy", "docker-desktop"): (ImdsUnavailableError, "Docker Desktop"),
    ("host-proxy", "guest-proxy-agent-forbidden"): (ForbiddenError, "Guest Proxy Agent"),
    ("host-proxy", "guest-proxy-agent-method"): (ImdsStatusError, ""),
    ("host-proxy", "pod-identity-nmi"): (ServerError, "Something other than IMDS"),
    ("arc", "challenge"): (ArcChallengeError, ""),
    ("arc", "challenge-windows"): (ArcChallengeError, ""),
    ("arc", "wrong-secret"): (ImdsStatusError, "Azure Arc"),
}

CASES = {f"{document}/{case['name']}": (document, case) for document in ASKED for case in example(f"errors-{document}")}
documented = pytest.mark.parametrize(("document", "case"), [*CASES.values()], ids=[*CASES])


def given(case: dict[str, Any]) -> httpx.Response:
    body = case["body"]
    content = json.dumps(body).encode() if isinstance(body, dict) else (body or "").encode()
    return httpx.Response(case["status"], content=content, headers=case["headers"])


def failed(colour: Colour, *answers: Any, action: Action = get_token, **options: Any) -> Any:
    """The error of a call with one attempt. `script` stores its requests."""
    script = Script(*answers)
    error = colour.error(action, transport=script, clock=FakeClock(), **{"retry": None, "step_down": False, **options})
    assert isinstance(error, ImdsError), repr(error)
    return error, script


def test_every_documented_error_is_expected() -> None:
    assert {(document, case["name"]) for document, case in CASES.values()} == set(EXPECTED)


@documented
def test_a_documented_error_has_its_class(colour: Colour, document: str, case: dict[str, Any]) -> None:
    error, _ = failed(colour, given(case), action=ASKED[document][0])
    assert type(error) is EXPECTED[document, case["name"]][0]


@documented
def test_a_documented_error_has_its_hint(document: str, case: dict[str, Any]) -> None:
    error, _ = failed(COLOURS[0], given(case), action=ASKED[document][0])
    assert EXPECTED[document, case["name"]][1] in error.hint
    assert error.hint in str(error)


@documented
def test_a_documented_error_has_the_text_of_imds(document: str, case: dict[str, Any]) -> None:
    error, script = failed(COLOURS[0], given(case), action=ASKED[document][0])
    if not isinstance(error, ImdsStatusError):
        return
    body = case["body"] if isinstance(case["body"], dict) else {}
    assert error.status_code == case["status"]
    assert error.error == (body.get("error") or case["body"] or None)
    assert error.error_description == body.get("error_description")
    assert error.request_id == script.requests[-1].headers["x-ms-client-request-id"]
    assert error.response is not None
    assert error.response.status_code == case["status"]
    for said in (error.error, error.error_description):
        assert (said or "") in str(error)


@documented
def test_a_documented_error_has_its_url_and_attempts(document: str, case: dict[str, Any]) -> None:
    action, url = ASKED[document]
    error, script = failed(COLOURS[0], given(case), action=action)
    assert error.url == str(script.requests[-1].url)
    assert error.url.startswith(url)
    assert (error.attempts, error.elapsed) == (1, 0.0)
    assert f"({url}, 1 attempt, 0.00 s)" in str(error)


@documented
def test_a_documented_error_is_the_same_in_each_colour(document: str, case: dict[str, Any]) -> None:
    texts = {(type(error), str(error), error.hint, error.retryable) for error in in_colours(document, case)}
    assert len(texts) == 1


def in_colours(document: str, case: dict[str, Any]) -> list[ImdsError]:
    clock = {"clock": FakeClock(), "retry": None}
    return [colour.error(ASKED[document][0], transport=Script(given(case)), **clock) for colour in COLOURS]  # type: ignore[misc]


@documented
def test_a_response_is_never_reported_as_missing(document: str, case: dict[str, Any]) -> None:
    error, _ = failed(COLOURS[0], given(case), action=ASKED[document][0])
    assert not isinstance(error, ImdsTimeoutError)
    assert "no answer" not in str(error)
    assert "cannot reach" not in str(error)


@documented
def test_a_documented_error_survives_pickling(document: str, case: dict[str, Any]) -> None:
    error, _ = failed(COLOURS[0], given(case), action=ASKED[document][0])
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin).keys() == vars(error).keys()
        for name, value in vars(error).items():
            if isinstance(value, httpx.Response):
                assert getattr(twin, name).content == value.content
            else:
                assert getattr(twin, name) == value


@documented
def test_nothing_is_chained_to_a_documented_error(colour: Colour, document: str, case: dict[str, Any]) -> None:
    error, _ = failed(colour, given(case), action=ASKED[document][0])
    assert list_foreign(error) == []


def test_the_server_s_request_id_takes_precedence_over_ours(colour: Colour) -> None:
    error, _ = failed(colour, answer(400, {"error": "x"}, x_ms_request_id="theirs"))
    assert error.request_id == "theirs"


def test_the_request_id_is_that_of_the_last_attempt(colour: Colour) -> None:
    error, script = failed(colour, answer(500, {"error": "x"}), retry=RetryPolicy())
    assert error.request_id == script.requests[-1].headers["x-ms-client-request-id"]
    assert error.request_id != script.requests[0].headers["x-ms-client-request-id"]


def test_several_attempts_are_counted_in_words_and_numbers(colour: Colour) -> None:
    script, clock = Script(answer(503, {"error": "x"})), FakeClock()
    error = colour.error(get_token, transport=script, clock=clock)
    assert isinstance(error, ServerError)
    assert f"({BASE}/identity/oauth2/token, 6 attempts, {sum(clock.waits):.2f} s)" in str(error)
    assert (error.attempts, error.elapsed) == (6, pytest.approx(sum(clock.waits)))


def test_the_text_leaves_the_query_out_and_the_url_keeps_it(colour: Colour) -> None:
    error, _ = failed(colour, answer(400, {"error": "x"}))
    assert "resource=" not in str(error)
    assert "resource=https%3A%2F%2Fvault.azure.net" in error.url


def test_newest_versions_are_kept_in_their_order(colour: Colour) -> None:
    action = ASKED["instance"][0]
    error, _ = failed(colour, answer(400, example("errors-missing-api-version")), action=action)
    assert error.newest_versions == ("2025-04-07", "2024-07-17", "2024-03-15")


@pytest.mark.parametrize("versions", [None, "2025-04-07", {}, [], [None, 7], [["2025-04-07"]]], ids=repr)
def test_invalid_newest_versions_mean_a_plain_400(colour: Colour, versions: object) -> None:
    error, _ = failed(colour, answer(400, {"error": "x", "newest-versions": versions}))
    assert type(error) is BadRequestError


def test_many_newest_versions_are_shortened_in_the_text(colour: Colour) -> None:
    error, _ = failed(colour, answer(400, {"error": "x", "newest-versions": ["\x1b[31m\r\n", *["9" * 50] * 5000]}))
    assert len(str(error)) < 1000
    assert str(error).isprintable()


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "invalid_request", "message": "Identity not found"}},
        {"code": "invalid_request", "message": "Identity not found"},
        {"error": "invalid_request", "error_description": "IDENTITY NOT FOUND"},
    ],
    ids=["Cloud Shell", "first swagger", "other case"],
)
def test_other_envelopes_are_understood(colour: Colour, body: dict[str, Any]) -> None:
    error, _ = failed(colour, answer(400, body))
    assert type(error) is IdentityNotFoundError
    assert error.error == "invalid_request"


@pytest.mark.parametrize(
    "body",
    [
        {"error": 7, "error_description": ["x"]},
        {"error": {"code": {"code": 1}, "message": None}},
        {"error": None},
        {"error": True, "error_description": False},
        {"error": [], "error_description": {}},
        {"error": "", "error_description": ""},
        {},
    ],
    ids=repr,
)
def test_an_envelope_with_unusual_types_is_still_a_400(colour: Colour, body: dict[str, Any]) -> None:
    error, _ = failed(colour, answer(400, body))
    assert type(error) is BadRequestError
    assert isinstance(error.error, (str, type(None)))
    assert isinstance(error.error_description, (str, type(None)))


def test_the_text_of_a_response_becomes_one_short_printable_line(colour: Colour) -> None:
    said = "\x1b]0;title\x07\r\nFAKE LOG LINE\u202e\ud800" + "x" * 100_000
    error, _ = failed(colour, answer(400, json.dumps({"error": said, "error_description": said})))
    assert str(error).isprintable()
    assert len(str(error)) < 1500


@pytest.mark.parametrize("said", ["no access_token could be issued", "see https://a.b/eyJ", "Bearer eyJ is cut off"])
def test_text_about_tokens_is_not_treated_as_a_token(colour: Colour, said: str) -> None:
    error, _ = failed(colour, answer(400, {"error": "invalid_request", "error_description": said}))
    assert error.error_description == said


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "/metadata/instance",
        "http://127.0.0.1:1/x",
        "//\0",
        "http://[",
        "http://a:b",
        "http:127.0.0.1/x",
        "http:",
        ":",
        "http://xn--/",
        "?",
        "\xff",
        "ftp://\udc80",
    ],
)
def test_a_redirect_is_an_error_and_is_not_followed(colour: Colour, status: int, location: str | None) -> None:
    headers = {} if location is None else {"location": location}
    headers = {name: value.encode("latin-1", "replace") for name, value in headers.items()}
    script = Script(lambda request: httpx.Response(status, headers=headers))
    error = colour.error(get_token, transport=script, clock=FakeClock())
    assert isinstance(error, (ImdsStatusError, ImdsUnavailableError))
    assert "IMDS never redirects" in error.hint
    assert "cannot reach" not in str(error)
    assert len(script.requests) == 1


@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 206, 226, 299])
def test_another_success_status_is_unreadable(colour: Colour, status: int) -> None:
    error, _ = failed(colour, answer(status, token()))
    assert type(error) is ImdsResponseError
    assert error.status_code == status
    assert str(status) in str(error)
    assert CANARY not in str(error)


@pytest.mark.parametrize("status", [402, 406, 409, 418, 421, 451, 499])
def test_a_4xx_without_a_class_of_its_own_is_a_status_error(colour: Colour, status: int) -> None:
    error, _ = failed(colour, answer(status, {"error": "x"}))
    assert type(error) is ImdsStatusError
    assert error.status_code == status


@pytest.mark.parametrize("status", [501, 505, 511, 599, 600, 999])
def test_every_status_from_500_on_is_a_server_error(colour: Colour, status: int) -> None:
    error, _ = failed(colour, answer(status, {"error": "x"}))
    assert type(error) is ServerError
    assert error.status_code == status


@pytest.mark.parametrize("status", [407, 502, 504])
def test_a_proxy_is_named(colour: Colour, status: int) -> None:
    error, _ = failed(colour, answer(status, b"<html>Squid</html>", content_type="text/html", server="squid"))
    assert type(error) is ImdsUnavailableError
    assert "proxy" in error.hint
    assert "Squid" not in str(error)


def test_a_web_page_in_place_of_a_token_names_a_proxy_too(colour: Colour) -> None:
    page = answer(200, b"<!DOCTYPE html><title>Sign in</title>", content_type="text/html", server="")
    error, _ = failed(colour, page)
    assert type(error) is ImdsUnavailableError
    assert "proxy" in error.hint
    assert error.hint in str(error)
    assert "Sign in" not in str(error)


def test_500_of_another_server_is_reported_as_such(colour: Colour) -> None:
    error, _ = failed(colour, answer(500, {"error": "x"}, server="Microsoft-IIS/10.0"))
    assert "Something other than IMDS answered" in error.hint


def test_500_of_imds_itself_is_not(colour: Colour) -> None:
    error, _ = failed(colour, answer(500, {"error": "x"}, server="IMDS/150.870.65.1854"))
    assert "other than IMDS" not in error.hint


@pytest.mark.parametrize("value", [b"\xff\xfe", "é".encode(), b"\x80", "\u2028".encode()], ids=repr)
def test_a_header_that_cannot_be_decoded_is_ignored(colour: Colour, value: bytes) -> None:
    for status, kind in ((200, None), (400, BadRequestError)):
        head = b"HTTP/1.1 %d X\r\nConnection: close\r\nServer: IMDS %b\r\nx-ms-request-id: %b\r\n" % (
            status,
            value,
            value,
        )
        with raw_server(Wire(head + b"Content-Length: %d\r\n\r\n%b" % (len(TOKEN), TOKEN))) as endpoint:
            if kind is None:
                assert colour.run(get_token, endpoint=endpoint).access_token == CANARY
            else:
                assert type(colour.error(get_token, endpoint=endpoint)) is kind


# Invalid token responses


@pytest.mark.parametrize("value", [None, "", 7, 7.5, True, ["x"], {"x": 1}], ids=repr)
def test_an_access_token_is_text_of_at_least_one_letter(colour: Colour, value: object) -> None:
    error, _ = failed(colour, answer(200, token(access_token=value, note=CANARY)))
    assert type(error) is ImdsResponseError
    assert "access_token" in str(error)
    assert CANARY not in str(error)


def test_a_missing_access_token_is_named(colour: Colour) -> None:
    document = token(note=CANARY)
    del document["access_token"]
    error, _ = failed(colour, answer(200, document))
    assert type(error) is ImdsResponseError
    assert "'access_token'" in str(error)
    assert CANARY not in str(error)


@pytest.mark.parametrize("expires_on", ["1700083860", 1700083860, 1700083860.5, "07/30/2026 10:00:00 +00:00", "", None])
def test_times_of_any_type_leave_a_token_readable(colour: Colour, expires_on: object) -> None:
    result = colour.run(get_token, transport=Script(answer(200, token(expires_on=expires_on))))
    assert result.expires_on == expires_on


@pytest.mark.parametrize(
    ("action", "document"),
    [
        (lambda imds: imds.attested.get_document(), {"encoding": "pkcs7"}),
        (lambda imds: imds.attested.get_document(), {"encoding": "pkcs7", "signature": None}),
        (lambda imds: imds.scheduled_events.get_events(), {"DocumentIncarnation": "1", "Events": []}),
        (lambda imds: imds.scheduled_events.get_events(), {"DocumentIncarnation": True, "Events": []}),
        (lambda imds: imds.scheduled_events.get_events(), {"DocumentIncarnation": 1, "Events": [{"EventId": "x"}]}),
        (lambda imds: imds.scheduled_events.get_events(), {"DocumentIncarnation": 1, "Events": None}),
        (lambda imds: imds.load_balancer.get_metadata(), {"loadbalancer": []}),
        (lambda imds: imds.versions.get_versions(), {"apiVersions": [2017]}),
        (lambda imds: imds.identity.get_info(), {"tenantId": None}),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_document_of_another_shape_is_unreadable(colour: Colour, action: Action, document: Any) -> None:
    error, _ = failed(colour, answer(200, document), action=action)
    assert type(error) is ImdsResponseError


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[]", b"OK", b"<html>", b"\xff", b"{"], ids=repr)
def test_the_response_to_an_approval_is_ignored(colour: Colour, body: bytes) -> None:
    assert colour.run(start_events, transport=Script(answer(200, body))) is None


# Bodies that are not a JSON object, as bytes

TOKEN = json.dumps(token()).encode()
DEEP = b'{"access_token":' + b"[" * 100_000 + CANARY.encode() + b"]" * 100_000 + b"}"
CHUNKED = "Transfer-Encoding: chunked"


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def success(body: bytes, *headers: str, length: int | None = None) -> Callable[[int], bytes]:
    return lambda status: reply(status, body, "Connection: close", *headers, length=length)


PAGE = b"<html><body>" + CANARY.encode() + b"</body></html>"

UNREADABLE: dict[str, Callable[[int], bytes]] = {
    "empty": success(b""),
    "blank": success(b" \r\n"),
    "HTML": success(PAGE, "Content-Type: text/html"),
    "HTML declared as JSON": success(PAGE, "Content-Type: application/json"),
    "text": success(CANARY.encode(), "Content-Type: text/plain"),
    "truncated JSON": success(TOKEN[:-20]),
    "a token and more": success(TOKEN + b"x"),
    "two documents": success(TOKEN + TOKEN),
    "list": success(b"[" + TOKEN + b"]"),
    "text in quotes": success(json.dumps(CANARY).encode()),
    "number": success(b"7"),
    "number of 5000 digits": success(b"7" * 5000),
    "true": success(b"true"),
    "null": success(b"null"),
    "NaN": success(b"NaN"),
    "deep": success(DEEP),
    "deep list": success(b"[" * 500_000),
    "Latin-1": success(b'{"access_token":"\xe9' + CANARY.encode() + b'"}'),
    "NUL": success(b"\0" * 100),
    "an unknown charset": success(CANARY.encode(), "Content-Type: text/plain; charset=nonsense"),
    "charset hex": success(CANARY.encode(), "Content-Type: text/plain; charset=hex"),
    "charset rot13": success(CANARY.encode(), "Content-Type: text/plain; charset=rot13"),
    "charset idna": success(CANARY.encode(), "Content-Type: text/plain; charset=idna"),
    "charset undefined": success(CANARY.encode(), "Content-Type: text/plain; charset=undefined"),
    "charset UTF-16": success(CANARY.encode(), "Content-Type: text/plain; charset=utf-16"),
    "closed in the middle": success(TOKEN, length=len(TOKEN) + 500),
    "closed before the body": success(b"", length=500),
    "longer than it said": success(TOKEN, length=40),
    "too large by its header": success(b"", length=4 * 1024 * 1024 + 1),
    "too large by a header of 19 digits": success(b"", length=10**18),
    "too large until the end": success(b"x" * (5 * 1024 * 1024), length=-1),
    "too large in chunks": success(chunks(*[b"x" * 65536] * 80), CHUNKED, length=-1),
    "a wrong chunk length": success(b"20\r\n" + TOKEN + b"\r\n0\r\n\r\n", CHUNKED, length=-1),
    "an invalid chunk length": success(TOKEN + b"\r\n", CHUNKED, length=-1),
    "an end without the last chunk": success(b"20\r\n" + TOKEN[:32] + b"\r\n", CHUNKED, length=-1),
    "a bomb of two layers": success(gzip.compress(gzip.compress(b"\0" * 9_000_000)), "Content-Encoding: gzip, gzip"),
    "a bomb": success(gzip.compress(b"\0" * 9_000_000), "Content-Encoding: gzip"),
    "an unknown coding": success(TOKEN, "Content-Encoding: nonsense"),
}
#: httpx does not close a generator if it cannot decode a body, and trio warns about it.
UNDECODABLE = {
    "no gzip at all": success(TOKEN, "Content-Encoding: gzip"),
    "broken gzip": success(gzip.compress(TOKEN)[:-30] + b"\0" * 30, "Content-Encoding: gzip"),
}


def asked_of(colour: Colour, raw: bytes, **options: Any) -> Exception:
    with raw_server(Wire(raw)) as endpoint:
        return colour.error(get_token, endpoint=endpoint, **{"retry": None, "deadline": 20, **options})


@pytest.mark.parametrize("body", [*UNREADABLE.values()], ids=[*UNREADABLE])
def test_a_success_with_such_a_body_is_unreadable(colour: Colour, body: Callable[[int], bytes]) -> None:
    error = asked_of(colour, body(200))
    assert type(error) is ImdsResponseError
    assert error.status_code == 200
    assert error.attempts == 1
    assert CANARY not in str(error)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("body", [*UNREADABLE.values()], ids=[*UNREADABLE])
def test_an_error_with_such_a_body_is_still_that_error(
    colour: Colour, status: int, body: Callable[[int], bytes]
) -> None:
    error = asked_of(colour, body(status))
    assert type(error) is (BadRequestError if status == 400 else ServerError)
    assert error.status_code == status  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(error)).status_code == status
    assert len(str(error)) < 2000


@pytest.mark.parametrize("colour", COLOURS[:2], ids=str)
@pytest.mark.parametrize("body", [*UNDECODABLE.values()], ids=[*UNDECODABLE])
def test_a_body_that_cannot_be_decoded_is_unreadable(colour: Colour, body: Callable[[int], bytes]) -> None:
    assert type(asked_of(colour, body(200))) is ImdsResponseError
    assert type(asked_of(colour, body(400))) is BadRequestError


@pytest.mark.parametrize("name", ["closed in the middle", "a wrong chunk length", "too large in chunks", "HTML"])
def test_a_failed_body_has_the_same_text_in_each_colour(name: str) -> None:
    def text(colour: Colour) -> str:
        error = asked_of(colour, UNREADABLE[name](200))
        assert isinstance(error, ImdsError)
        return str(error).replace(error.url.partition("?")[0], "URL").replace(f"{error.elapsed:.2f}", "0")

    assert len({text(colour) for colour in COLOURS}) == 1


def test_a_body_that_was_cut_off_is_retried(colour: Colour) -> None:
    wire = Wire(UNREADABLE["closed in the middle"](200), reply(200, TOKEN, "Connection: close"))
    with raw_server(wire) as endpoint:
        assert colour.run(get_token, endpoint=endpoint, clock=FakeClock()).access_token == CANARY
    assert len(wire.requests) == 2


def test_a_complete_but_wrong_body_is_not_retried(colour: Colour) -> None:
    wire = Wire(reply(200, TOKEN[:-20], "Connection: close"))
    with raw_server(wire) as endpoint:
        colour.error(get_token, endpoint=endpoint, deadline=20)
    assert len(wire.requests) == 1


def test_an_error_whose_body_was_cut_off_is_retried_by_its_status(colour: Colour) -> None:
    wire = Wire(reply(503, b"x", "Connection: close", length=50), reply(200, TOKEN, "Connection: close"))
    clock = FakeClock()
    with raw_server(wire) as endpoint:
        assert colour.run(get_token, endpoint=endpoint, clock=clock).access_token == CANARY
    assert clock.waits == [1.8]


READABLE = {
    "BOM": reply(200, b"\xef\xbb\xbf" + TOKEN, "Connection: close"),
    "UTF-16": reply(200, json.dumps(token()).encode("utf-16"), "Connection: close"),
    "gzip": reply(200, gzip.compress(TOKEN), "Content-Encoding: gzip", "Connection: close"),
    "deflate": reply(200, zlib.compress(TOKEN), "Content-Encoding: deflate", "Connection: close"),
    "identity": reply(200, TOKEN, "Content-Encoding: identity", "Connection: close"),
    "wrong content type": reply(200, TOKEN, "Content-Type: text/html", "Connection: close"),
    "charset hex": reply(200, TOKEN, "Content-Type: application/json; charset=hex", "Connection: close"),
    "chunks of a byte": reply(
        200, chunks(*(TOKEN[i : i + 1] for i in range(len(TOKEN)))), CHUNKED, "Connection: close", length=-1
    ),
    "until the end": reply(200, TOKEN, "Connection: close", length=-1),
    "unknown members": reply(200, json.dumps(token(new={"x": [1]})), "Connection: close"),
    "the same member twice": reply(200, TOKEN[:-1] + b',"resource":"x"}', "Connection: close"),
    "padded to 4 MiB": reply(200, TOKEN + b" " * (4 * 1024 * 1024 - len(TOKEN)), "Connection: close"),
}


@pytest.mark.parametrize("raw", [*READABLE.values()], ids=[*READABLE])
def test_a_body_that_can_be_read_is_read(colour: Colour, raw: bytes) -> None:
    with raw_server(Wire(raw)) as endpoint:
        assert colour.run(get_token, endpoint=endpoint, deadline=20).access_token == CANARY


@pytest.mark.parametrize(
    "piece",
    [
        b"eyJ",
        b"eyJ.",
        b"eyJ ",
        b"access_token",
        b"access_token ",
        b"\\u00",
        b"\0",
        b"<",
        b" ",
        b"[",
        b'{"error":',
        b".",
    ],
    ids=repr,
)
@pytest.mark.parametrize("status", [200, 500])
def test_an_error_body_is_searched_in_linear_time(status: int, piece: bytes) -> None:
    start = time.monotonic()
    failed(COLOURS[0], answer(status, piece * (4_000_000 // len(piece))))
    assert time.monotonic() - start < 20, "hung"


@pytest.mark.parametrize("depth", [*range(900, 1000, 9), 5000])
def test_a_deeply_nested_error_body_raises_no_recursion_error(depth: int) -> None:
    body = b'{"error":' + b"[" * depth + b"]" * depth + b"}"
    error, _ = failed(COLOURS[0], answer(400, body))
    assert type(error) is BadRequestError


# Failures without a response


def test_a_refused_connection_reads_the_same_in_each_colour() -> None:
    with raw_server(Wire()) as endpoint:
        pass  # closed, so nothing listens there
    texts = set()
    for colour in COLOURS:
        error = colour.error(get_token, endpoint=endpoint, retry=None)
        assert type(error) is ImdsUnavailableError
        texts.add(str(error).replace(f"{error.elapsed:.2f}", "0"))
    assert len(texts) == 1
    assert "Connection refused" in texts.pop()


def test_a_name_that_does_not_resolve_reads_the_same_in_each_colour() -> None:
    texts = set()
    for colour in COLOURS:
        error = colour.error(get_token, endpoint="http://does-not-exist.invalid", retry=None)
        assert type(error) is ImdsUnavailableError
        texts.add(str(error).replace(f"{error.elapsed:.2f}", "0"))
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError("x"), ImdsUnavailableError),
        (httpx.ConnectTimeout("x"), ImdsTimeoutError),
        (httpx.ReadTimeout("x"), ImdsTimeoutError),
        (httpx.WriteTimeout("x"), ImdsTimeoutError),
        (httpx.PoolTimeout("x"), ImdsTimeoutError),
        (httpx.ReadError(""), ImdsUnavailableError),
        (httpx.WriteError("x"), ImdsUnavailableError),
        (httpx.CloseError("x"), ImdsUnavailableError),
        (httpx.RemoteProtocolError("x"), ImdsUnavailableError),
        (httpx.LocalProtocolError("x"), ImdsUnavailableError),
        (httpx.ProxyError("x"), ImdsUnavailableError),
        (httpx.UnsupportedProtocol("x"), ImdsUnavailableError),
        (httpx.DecodingError("x"), ImdsUnavailableError),
        (httpx.TooManyRedirects("x"), ImdsUnavailableError),
        (httpx.StreamClosed(), ImdsUnavailableError),
        (ConnectionRefusedError(111, "refused"), ImdsUnavailableError),
        (TimeoutError(), ImdsTimeoutError),
        (OSError(), ImdsUnavailableError),
    ],
    ids=lambda value: "" if isinstance(value, type) else type(value).__name__,
)
def test_every_exception_of_a_transport_becomes_an_imds_error(
    colour: Colour, failure: Exception, kind: type[ImdsError]
) -> None:
    error, script = failed(colour, failure)
    assert type(error) is kind
    assert (error.attempts, error.url) == (1, str(script.requests[0].url))
    assert f"({BASE}/identity/oauth2/token, 1 attempt, 0.00 s)" in str(error)
    assert error.retryable
    assert list_foreign(error) == []


# The errors themselves


@pytest.mark.parametrize(
    "error",
    [
        ImdsError("text", hint="h"),
        ImdsValidationError("text", parameter="p"),
        ImdsUnavailableError("text", url="u", attempts=2, elapsed=1.5, retryable=True),
        ImdsTimeoutError("text", deadline=30.0),
        ImdsStatusError("text", status_code=418, error="e", error_description="d", request_id="r"),
        ThrottledError("text", retry_after=7.0),
        UnsupportedApiVersionError("text", newest_versions=("2025-04-07",)),
        ImdsResponseError("text", status_code=200),
        ArcChallengeError("text"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling(error: ImdsError, protocol: int) -> None:
    twin = pickle.loads(pickle.dumps(error, protocol))
    assert (type(twin), twin.args, vars(twin)) == (type(error), error.args, vars(error))


def test_a_validation_error_of_a_call_survives_pickling(colour: Colour) -> None:
    error = colour.error(lambda imds: imds.identity.get_token(resource=""), transport=Script(ok()))
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), vars(twin)) == (ImdsValidationError, str(error), vars(error))


def test_a_timeout_of_a_call_survives_pickling(colour: Colour) -> None:
    error, _ = failed(colour, httpx.ReadTimeout("x"), deadline=3)
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), twin.deadline) == (ImdsTimeoutError, str(error), 3)


def test_every_error_has_empty_attributes_by_default() -> None:
    import azure_imds

    for name in azure_imds.errors.__all__:
        error = getattr(azure_imds, name)("text")
        assert (error.url, error.attempts, error.elapsed, error.retryable, error.hint) == ("", 0, 0.0, False, "")


def test_the_details_of_an_error_are_the_specification_s_model(colour: Colour) -> None:
    error, _ = failed(colour, answer(400, {"error": "invalid_request", "error_description": "Identity not found"}))
    assert isinstance(error.details, models.IdentityErrorResponse)
    assert error.details.error_description == "Identity not found"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"7", PAGE], ids=repr)
def test_a_body_of_another_form_has_no_details(colour: Colour, body: bytes) -> None:
    error, _ = failed(colour, answer(400, body))
    assert error.details is None


def test_a_validation_error_is_caught_as_value_error(colour: Colour) -> None:
    with pytest.raises(ValueError, match="resource"):
        colour.run(lambda imds: imds.identity.get_token(resource=""), transport=Script(ok()))


def test_a_timeout_is_caught_as_timeout_error(colour: Colour) -> None:
    with pytest.raises(TimeoutError):
        colour.run(get_token, transport=Script(httpx.ReadTimeout("x")), retry=None)
