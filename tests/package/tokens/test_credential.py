"""The requests of a credential, how it reads the answers, which tokens it stores, and that it shows none."""

from __future__ import annotations

import inspect
import logging
from pathlib import Path
from typing import Any

import pytest

import azure_imds
from azure_imds import (
    AccessToken,
    AsyncImdsClient,
    AsyncImdsCredential,
    IdentityNotFoundError,
    ImdsClient,
    ImdsCredential,
    ImdsError,
    ImdsResponseError,
    ImdsUnavailableError,
    ImdsValidationError,
    MultipleIdentitiesError,
    RetryPolicy,
)
from azure_imds_emulator import Emulator, ManagedIdentity
from support import CANARY, CLIENT_ID, Colour, FakeClock, answer, collect_texts, find_secret
from token_support import DAY, DOWN, HOUR, SCOPE, Clocks, Gate, Imds, holding, number

RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/app"
)
CREDENTIALS = [ImdsCredential, AsyncImdsCredential]


def both(function: Any) -> Any:
    """Runs a test that awaits nothing with both classes."""
    return pytest.mark.parametrize("kind", CREDENTIALS, ids=["sync", "async"])(function)


@pytest.mark.parametrize(
    ("scope", "resource"),
    [
        ("https://vault.azure.net/.default", "https://vault.azure.net"),
        ("https://vault.azure.net//.default", "https://vault.azure.net/"),
        ("https://vault.azure.net", "https://vault.azure.net"),
        ("https://vault.azure.net/", "https://vault.azure.net/"),
        ("api://app/.default", "api://app"),
        ("https://x/.default/.default", "https://x/.default"),
        ("https://x/.defaulted", "https://x/.defaulted"),
        ("https://x.default", "https://x.default"),
        ("00000003-0000-0000-c000-000000000000", "00000003-0000-0000-c000-000000000000"),
    ],
)
def test_a_scope_names_a_resource_and_a_resource_is_itself(colour: Colour, scope: str, resource: str) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        credential.get_token(scope)
    assert imds.query()["resource"] == resource


def test_a_scope_and_its_resource_share_a_token(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        first = credential.get_token("https://x/.default")
        assert credential.get_token("https://x") is first
    assert len(imds) == 1


def test_a_trailing_slash_names_another_resource(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        credential.get_token("https://x/.default")
        credential.get_token("https://x//.default")
    assert [imds.query(0)["resource"], imds.query(1)["resource"]] == ["https://x", "https://x/"]


@pytest.mark.parametrize(
    "scopes",
    [
        (),
        ("https://x/.default", "https://y/.default"),
        ("https://x", "https://x"),
        ("",),
        (" ",),
        ("\t\n",),
        ("/.default",),
        ("https://x y/.default",),
        ("https://x\r\nMetadata: false",),
        ("https://ü.example",),
        (None,),
        (b"https://x",),
        (["https://x"],),
        ({"https://x"},),
        (5,),
    ],
    ids=repr,
)
def test_anything_but_one_scope_is_rejected_before_any_io(
    colour: Colour, scopes: tuple[Any, ...], tmp_path: Any
) -> None:
    imds = Imds()
    with holding(colour, transport=imds, shared_cache=tmp_path / "tokens") as credential:
        error = None
        try:
            credential.call(credential.credential.get_token, *scopes)
        except ImdsValidationError as caught:
            error = caught
    assert error is not None
    assert error.parameter == "scopes"
    assert str(error).startswith(f"{type(credential.credential).__name__}: scopes must ")
    assert error.problem.startswith("must ")
    assert "https://" in error.problem
    assert not imds.requests
    assert not (tmp_path / "tokens").exists()


def test_arguments_of_azure_core_are_not_sent(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        credential.get_token(tenant_id="other-tenant", enable_cae=True, pop={"a": 1}, unknown="other-thing")
    (request,) = imds.requests
    assert set(request.url.params) == {"api-version", "resource"}
    assert "other" not in str(request.url) + str(request.headers) + request.content.decode()


def test_arguments_of_azure_core_do_not_bypass_the_cache(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        first = credential.get_token()
        assert credential.get_token(tenant_id="t", enable_cae=True) is first
        assert credential.get_token(unknown=1) is first
        assert credential.get_token(claims="") is first
        assert credential.get_token(claims=None, force_refresh=False) is first
    assert len(imds) == 1


@pytest.mark.parametrize(
    ("selector", "wire"),
    [
        ({"client_id": CLIENT_ID}, {"client_id": CLIENT_ID}),
        ({"object_id": CLIENT_ID}, {"object_id": CLIENT_ID}),
        ({"resource_id": RESOURCE_ID}, {"msi_res_id": RESOURCE_ID}),
        ({}, {}),
    ],
    ids=["client_id", "object_id", "resource_id", "none"],
)
def test_a_selector_is_sent_with_the_name_that_imds_knows(
    colour: Colour, selector: dict[str, str], wire: dict[str, str]
) -> None:
    imds = Imds(**wire)
    with holding(colour, transport=imds, **selector) as credential:
        credential.get_token()
    query = imds.query()
    assert {name: query[name] for name in query if name not in ("api-version", "resource")} == wire


@both
@pytest.mark.parametrize(
    ("selector", "parameter"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": "my-app"}, "client_id"),
        ({"client_id": CLIENT_ID + "\n"}, "client_id"),
        ({"object_id": ""}, "object_id"),
        ({"object_id": 5}, "object_id"),
        ({"resource_id": ""}, "resource_id"),
        ({"resource_id": "subscriptions/x"}, "resource_id"),
        ({"resource_id": "/a b"}, "resource_id"),
        ({"client_id": CLIENT_ID, "resource_id": RESOURCE_ID}, "resource_id"),
        ({"object_id": CLIENT_ID, "client_id": CLIENT_ID}, "object_id"),
    ],
    ids=repr,
)
def test_a_malformed_selector_is_rejected_by_the_constructor_with_the_users_name(
    kind: Any, selector: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        kind(**selector)
    assert caught.value.parameter == parameter
    problem = "cannot be combined with" if len(selector) > 1 else "must "
    assert str(caught.value).startswith(f"{kind.__name__}: {parameter} {problem}")
    assert str(caught.value) == f"{kind.__name__}: {parameter} {caught.value.problem}"
    assert "msi_res_id" not in str(caught.value)


@both
@pytest.mark.parametrize(
    "options",
    [{"endpoint": "not a url"}, {"timeout": 0}, {"deadline": -1}, {"retry": 3}, {"transport": 5}, {"http_client": 5}],
    ids=repr,
)
def test_options_of_the_client_are_accepted_and_checked(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        kind(**options)
    assert caught.value.parameter in options
    assert str(caught.value).startswith(f"{kind.__name__}: {caught.value.parameter} must be ")


@both
def test_an_unknown_option_is_rejected(kind: Any) -> None:
    with pytest.raises(TypeError):
        kind(client="x", identity="y")


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"endpoint": "http://127.0.0.1"}, "endpoint"),
        ({"timeout": 1}, "timeout"),
        ({"deadline": 1}, "deadline"),
        ({"retry": None}, "retry"),
        ({"retry": RetryPolicy(attempts=1)}, "retry"),
        ({"transport": Imds()}, "transport"),
        ({"clock": FakeClock()}, "clock"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_client_and_its_options_cannot_be_combined(options: dict[str, Any], parameter: str) -> None:
    for kind, client in ((ImdsCredential, ImdsClient()), (AsyncImdsCredential, AsyncImdsClient())):
        with pytest.raises(ImdsValidationError) as caught:
            kind(client=client, **options)
        assert caught.value.parameter == parameter
        assert str(caught.value).startswith(f"{kind.__name__}: {parameter} cannot be combined with client")


def test_a_client_of_the_other_colour_is_rejected() -> None:
    for kind, client in ((ImdsCredential, AsyncImdsClient()), (AsyncImdsCredential, ImdsClient())):
        with pytest.raises(ImdsValidationError) as caught:
            kind(client=client)
        assert caught.value.parameter == "client"
        assert str(caught.value).startswith(f"{kind.__name__}: client must be an ")


def test_a_given_client_is_used_and_left_open(colour: Colour) -> None:
    imds = Imds()

    def use(client: Any) -> Any:
        if isinstance(client, ImdsClient):
            with ImdsCredential(client=client) as credential:
                credential.get_token(SCOPE)
            return client.identity.get_token(resource="https://y")

        async def main() -> Any:
            async with AsyncImdsCredential(client=client) as credential:
                await credential.get_token(SCOPE)
            return await client.identity.get_token(resource="https://y")

        return main()

    assert colour.run(use, transport=imds).access_token == f"{CANARY}-2"


def test_a_closed_credential_raises_an_error_that_says_closed(colour: Colour) -> None:
    with holding(colour, transport=Imds()) as credential:
        credential.call(credential.credential.close)
        credential.call(credential.credential.close)
        error = credential.error()
    assert isinstance(error, ImdsError)
    assert "closed" in str(error)


NOW = 1_700_000_000


@pytest.mark.parametrize("form", [str, int, float, lambda n: f"{n}.0", lambda n: f" {n} "], ids=range(5))
def test_numbers_can_be_strings_integers_and_floats(colour: Colour, form: Any) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, expires_on=form(NOW + DAY), expires_in=form(DAY), refresh_in=form(HOUR))
    with holding(colour, transport=imds, clock=clock) as credential:
        token = credential.get_token()
    assert (token.expires_on, token.refresh_on) == (NOW + DAY, NOW + HOUR)
    assert type(token.expires_on) is int
    assert type(token.refresh_on) is int


def test_expires_on_has_priority_over_expires_in(colour: Colour) -> None:
    clock = Clocks(NOW)
    with holding(colour, transport=Imds(clock, expires_on=NOW + 5000, expires_in=9), clock=clock) as credential:
        assert credential.get_token().expires_on == NOW + 5000


@pytest.mark.parametrize(
    "absent", [None, "", "soon", "31/12/2029 00:00:00", "0", -1, "NaN", "inf", "-Infinity", True, [], {}]
)
def test_without_a_valid_expires_on_the_lifetime_starts_with_the_request(colour: Colour, absent: Any) -> None:
    clock = Clocks(NOW)
    with holding(colour, transport=Imds(clock, expires_on=absent, expires_in="3600"), clock=clock) as credential:
        assert credential.get_token().expires_on == NOW + 3600


def test_a_lifetime_starts_with_the_request_and_not_with_the_answer(colour: Colour) -> None:
    class Slow(Imds):
        def answer(self, number: int) -> dict[str, Any]:
            clock.advance(5)
            return super().answer(number)

    clock = Clocks(NOW)
    with holding(colour, transport=Slow(clock, expires_on=None, expires_in="3600"), clock=clock) as credential:
        assert credential.get_token().expires_on == NOW + 3600


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"expires_on": "", "expires_in": ""},
        {"expires_on": "soon", "expires_in": "later"},
        {"expires_on": "NaN", "expires_in": "NaN"},
        {"expires_on": "1e999", "expires_in": 10**400},
        {"expires_on": True, "expires_in": False},
        {"expires_on": [1], "expires_in": {"a": 1}},
    ],
    ids=lambda times: str(times)[:40],
)
def test_a_token_with_an_unknown_lifetime_is_a_response_error(colour: Colour, times: dict[str, Any]) -> None:
    with holding(colour, transport=Imds(**{"expires_on": None, "expires_in": None, **times})) as credential:
        error = credential.error()
    assert type(error) is ImdsResponseError
    assert "expires_on" in str(error)
    assert "expires_in" in str(error)


def test_after_a_token_with_an_unknown_lifetime_the_next_call_sends_a_request(colour: Colour) -> None:
    imds = Imds(expires_on=None, expires_in=None)
    with holding(colour, transport=imds) as credential:
        credential.error()
        imds.fields.clear()
        assert number(credential.get_token()) == 2


@pytest.mark.parametrize("text", ["a\nb", "a\r\nX: y", "ä", "\x00", " ", "a ", "😀"], ids=ascii)
def test_a_token_that_is_not_valid_in_a_header_is_a_response_error(colour: Colour, text: str) -> None:
    # httpx would reject the header with an error that quotes it.
    with holding(colour, transport=Imds(access_token=CANARY + text)) as credential:
        error = credential.error()
    assert type(error) is ImdsResponseError
    assert CANARY not in collect_texts(error)


@pytest.mark.parametrize(
    "past",
    [
        {"expires_on": NOW - 1, "expires_in": 0},
        {"expires_on": NOW, "expires_in": -1},
        {"expires_on": None, "expires_in": -5},
    ],
)
def test_an_expired_token_is_returned_once_and_not_stored(colour: Colour, past: dict[str, Any]) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock, **past)
    with holding(colour, transport=imds, clock=clock) as credential:
        assert [number(credential.get_token()) for _ in range(3)] == [1, 2, 3]


def test_an_expired_answer_does_not_replace_a_valid_token(colour: Colour) -> None:
    clock = Clocks(NOW)
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.life = -1
        credential.get_token()
        credential.wait_for_refreshes()
        assert number(credential.get_token()) == 1
        credential.wait_for_refreshes()
        assert len(imds) == 2, "no second request follows at once"


@pytest.mark.parametrize(
    ("life", "refresh_in"),
    [(7200, 3600), (7199, None), (DAY, DAY // 2), (3600, None), (299, None)],
)
def test_refresh_on_is_half_of_a_lifetime_of_two_hours_or_more(
    colour: Colour, life: int, refresh_in: int | None
) -> None:
    clock = Clocks(NOW)
    with holding(colour, transport=Imds(clock, life), clock=clock) as credential:
        assert credential.get_token().refresh_on == (refresh_in and NOW + refresh_in)


def test_two_hours_are_two_hours_at_any_fraction_of_a_second(colour: Colour) -> None:
    clock = Clocks(NOW + 0.75)
    with holding(colour, transport=Imds(clock, 7200, expires_on=NOW + 7200), clock=clock) as credential:
        assert credential.get_token().refresh_on == NOW + 3600


@pytest.mark.parametrize(("given", "refresh_on"), [("100", 100), (0, 0), ("NaN", DAY // 2), ("", DAY // 2)])
def test_refresh_on_follows_refresh_in_if_that_is_a_number(colour: Colour, given: Any, refresh_on: int) -> None:
    clock = Clocks(NOW)
    with holding(colour, transport=Imds(clock, refresh_in=given), clock=clock) as credential:
        assert credential.get_token().refresh_on == NOW + refresh_on


@pytest.mark.parametrize("given", [None, "", 5, ["Bearer"]])
def test_a_token_without_a_type_is_a_bearer_token(colour: Colour, given: Any) -> None:
    with holding(colour, transport=Imds(token_type=given)) as credential:
        assert credential.get_token().token_type == "Bearer"


def test_a_cached_call_sends_nothing_and_returns_the_same_object(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        first = credential.get_token()
        assert all(credential.get_token() is first for _ in range(100))
    assert len(imds) == 1


def test_each_resource_has_its_own_token(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        tokens = [number(credential.get_token(f"https://{name}")) for name in "abcab"]
    assert tokens == [1, 2, 3, 1, 2]


def test_each_credential_has_its_own_tokens(colour: Colour) -> None:
    imds = Imds(client_id=CLIENT_ID)
    with holding(colour, transport=imds) as one, holding(colour, transport=imds, client_id=CLIENT_ID) as other:
        assert number(one.get_token()) != number(other.get_token())


def test_many_spellings_of_few_resources_do_not_fill_memory(colour: Colour) -> None:
    imds = Imds()

    class Scope(str):
        """A scope that equals no other: as if each had another spelling."""

        __slots__ = ()
        __hash__ = object.__hash__
        __eq__ = object.__eq__  # type: ignore[assignment]

    with holding(colour, transport=imds) as credential:
        for _ in range(300):
            credential.get_token(Scope("https://x/.default"))
        assert len(credential.credential._cache.by_scopes) < 200
    assert len(imds) == 1


def test_clear_removes_all_tokens(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        credential.get_token()
        credential.get_token("https://y")
        credential.clear()
        assert number(credential.get_token()) == 3
        assert number(credential.get_token("https://y")) == 4


def test_a_fetch_from_before_clear_is_not_stored(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        before = credential.crowd(1)
        gate.wait_for()
        credential.clear()
        gate.open()
        assert number(before.results()[0]) == 1
        assert number(credential.get_token()) == 2


def test_a_call_after_clear_does_not_join_a_fetch_from_before(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        before = credential.crowd(1)
        gate.wait_for()
        credential.clear()
        after = credential.get_token()
        gate.open()
        assert number(before.results()[0]) == 2, "the answers are numbered in their order"
        assert number(after) == 1
        assert credential.get_token() is after


@pytest.mark.parametrize("options", [{"claims": '{"access_token":{}}'}, {"force_refresh": True}], ids=repr)
def test_a_forced_call_skips_the_cache_and_replaces_the_token(colour: Colour, options: dict[str, Any]) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        credential.get_token()
        forced = credential.get_token(**options)
        assert number(forced) == 2
        assert credential.get_token() is forced
    assert "bypass_cache" not in imds.query(0)
    assert imds.query(1)["bypass_cache"] == "true"
    assert len(imds) == 2


def test_claims_are_not_sent(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        credential.get_token(claims="the-claims")
    assert "the-claims" not in str(imds.requests[0].url)
    assert "claims" not in imds.query()


@pytest.mark.parametrize("claims", [{"access_token": {}}, 5, b"x", ["x"]], ids=repr)
def test_claims_that_are_not_a_str_are_rejected(colour: Colour, claims: Any) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        error = credential.error(claims=claims)
    assert isinstance(error, ImdsValidationError)
    assert error.parameter == "claims"
    assert str(error).startswith(f"{type(credential.credential).__name__}: claims must be a str, not ")
    assert not imds.requests


def test_a_forced_call_that_fails_keeps_the_token(colour: Colour) -> None:
    imds = Imds(Clocks())
    with holding(colour, transport=imds, clock=imds.clock) as credential:
        credential.get_token()
        imds.failure = DOWN
        assert isinstance(credential.error(force_refresh=True), ImdsUnavailableError)
        assert number(credential.get_token()) == 1


def test_a_forced_call_that_returns_an_expired_token_still_removes_the_old_one(colour: Colour) -> None:
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        credential.get_token()
        imds.life = -1
        credential.get_token(claims="revoked")
        imds.life = DAY
        assert number(credential.get_token()) == 3


def test_an_older_fetch_that_ends_later_does_not_replace_a_newer_token(colour: Colour) -> None:
    imds, gate = Imds(), Gate()
    imds.gates = [gate]
    with holding(colour, transport=imds) as credential:
        older = credential.crowd(1)
        gate.wait_for()
        newer = credential.get_token(force_refresh=True)
        gate.open()
        older.results()
        assert credential.get_token() is newer


def test_an_older_refresh_that_ends_later_does_not_replace_a_newer_token(colour: Colour) -> None:
    clock, gate = Clocks(), Gate()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.gates = [gate]
        credential.get_token()
        gate.wait_for()
        newer = credential.get_token(claims="revoked")
        gate.open()
        credential.wait_for_refreshes()
        assert credential.get_token() is newer


@pytest.mark.parametrize(
    ("selector", "echo"),
    [
        ({"client_id": CLIENT_ID}, {"client_id": CLIENT_ID.replace("3", "4")}),
        ({"object_id": CLIENT_ID}, {"object_id": CLIENT_ID.replace("3", "4")}),
        ({"resource_id": RESOURCE_ID}, {"msi_res_id": RESOURCE_ID + "2"}),
        ({"resource_id": RESOURCE_ID}, {"mi_res_id": RESOURCE_ID + "2"}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_token_of_another_identity_is_rejected(
    colour: Colour, selector: dict[str, str], echo: dict[str, str]
) -> None:
    with holding(colour, transport=Imds(**echo), **selector) as credential:
        error = credential.error()
        assert type(error) is ImdsResponseError
        assert "another identity" in str(error)
        assert CANARY not in collect_texts(error)
        assert isinstance(credential.error(), ImdsResponseError), "the token was not stored"


@pytest.mark.parametrize(
    ("selector", "echo"),
    [
        ({"client_id": "abcdef00-0000-0000-0000-000000000003"}, {"client_id": "ABCDEF00-0000-0000-0000-000000000003"}),
        ({"resource_id": RESOURCE_ID}, {"msi_res_id": RESOURCE_ID.replace("resourceGroups", "resourcegroups")}),
    ],
    ids=["client_id", "resource_id"],
)
def test_an_echo_in_another_case_is_the_same_identity(
    colour: Colour, selector: dict[str, str], echo: dict[str, str]
) -> None:
    with holding(colour, transport=Imds(**echo), **selector) as credential:
        assert number(credential.get_token()) == 1


def test_an_early_refresh_with_another_identity_keeps_the_token(colour: Colour) -> None:
    clock = Clocks()
    imds = Imds(clock, client_id=CLIENT_ID)
    with holding(colour, transport=imds, clock=clock, client_id=CLIENT_ID) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.fields["client_id"] = CLIENT_ID.replace("3", "4")
        credential.get_token()
        credential.wait_for_refreshes()
        assert number(credential.get_token()) == 1


def test_the_emulator_returns_a_token_for_each_selector(colour: Colour) -> None:
    with Emulator() as emulator:
        identity = ManagedIdentity(CLIENT_ID, CLIENT_ID.replace("3", "4"), RESOURCE_ID)
        emulator.machine.user_assigned.append(identity)
        selectors = [
            {},
            {"client_id": identity.client_id},
            {"object_id": identity.object_id},
            {"resource_id": identity.resource_id},
        ]
        for selector in selectors:
            with holding(colour, endpoint=emulator.endpoint, **selector) as credential:
                token = credential.get_token()
                assert credential.get_token() is token
        assert [request.status for request in emulator.requests] == [200] * 4


def test_the_emulator_returns_a_new_token_to_a_forced_call(colour: Colour) -> None:
    with Emulator() as emulator, holding(colour, endpoint=emulator.endpoint) as credential:
        first = credential.get_token()
        credential.clear()
        assert credential.get_token().token == first.token, "IMDS stores tokens too"
        assert credential.get_token(force_refresh=True).token != first.token


def test_a_missing_identity_is_a_typed_error(colour: Colour) -> None:
    unknown = "00000000-0000-0000-0000-00000000dead"
    with Emulator() as emulator, holding(colour, endpoint=emulator.endpoint, client_id=unknown) as credential:
        assert isinstance(credential.error(), IdentityNotFoundError)


def test_a_choice_between_identities_is_named_by_the_arguments_of_the_credential(colour: Colour) -> None:
    with Emulator(machine="two-identities") as emulator, holding(colour, endpoint=emulator.endpoint) as credential:
        error = credential.error(SCOPE)
    assert isinstance(error, MultipleIdentitiesError)
    assert "by client_id, object_id or resource_id" in error.hint
    assert "msi_res_id" not in str(error)


def test_the_repr_of_a_credential_shows_identity_and_endpoint_and_no_token(colour: Colour) -> None:
    imds = Imds(client_id=CLIENT_ID)
    with (
        holding(colour, transport=imds, client_id=CLIENT_ID, endpoint="http://127.0.0.1:1") as credential,
        holding(colour, transport=imds) as default,
    ):
        credential.get_token()
        shown = repr(credential.credential)
        assert CLIENT_ID in shown
        assert "http://127.0.0.1:1" in shown
        assert CANARY not in shown
        assert "default identity" in repr(default.credential)


def test_a_token_is_shown_only_by_its_attribute(colour: Colour) -> None:
    with holding(colour, transport=Imds()) as credential:
        token = credential.get_token()
        seen = [
            repr(token),
            str(token),
            f"{token}",
            format(token),
            repr([token]),
            repr(vars(credential.credential)),
        ]
        seen.append(repr(vars(credential.credential._cache)))
    assert CANARY not in "".join(seen)
    assert CANARY in token.token


@pytest.mark.parametrize(
    "fields",
    [{"expires_on": None, "expires_in": None}, {"suffix": "\n"}, {"client_id": "other"}],
    ids=["life", "text", "identity"],
)
def test_an_error_carries_no_token(colour: Colour, fields: dict[str, Any]) -> None:
    with holding(colour, transport=Imds(**fields), client_id=CLIENT_ID) as credential:
        error = credential.error()
    assert CANARY not in collect_texts(error)
    trace, frames = error.__traceback__, []
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(str(Path(azure_imds.__file__).parent)):
            frames += [value for value in trace.tb_frame.f_locals.values() if not isinstance(value, type(credential))]
        trace = trace.tb_next
    assert not find_secret(CANARY, *frames)


def test_no_log_line_holds_a_token(colour: Colour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    clock = Clocks()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        credential.get_token()
        clock.advance(DAY / 2)
        imds.failure = answer(500, {"error": "x", "access_token": CANARY})
        credential.get_token()
        credential.wait_for_refreshes()
        clock.advance(DAY)
        credential.error()
    assert "early refresh failed" in caplog.text
    assert CANARY not in caplog.text + repr([record.__dict__ for record in caplog.records])


def test_both_credentials_take_the_same_arguments() -> None:
    for name in ("__init__", "get_token", "get_token_info", "clear", "close"):
        sync, asynchronous = (
            [(p.name, p.kind, p.default) for p in inspect.signature(getattr(kind, name)).parameters.values()]
            for kind in CREDENTIALS
        )
        assert sync == asynchronous, name


@both
def test_the_docstring_names_every_option(kind: Any) -> None:
    options = set(inspect.signature(kind.__init__).parameters) - {"self"}
    assert not [option for option in options if option not in kind.__doc__]


@both
def test_creating_a_credential_sends_nothing(kind: Any) -> None:
    imds = Imds()
    kind(transport=imds)
    assert not imds.requests


def test_tokens_compare_by_value() -> None:
    assert AccessToken("a", 1) == AccessToken("a", 1)
    assert AccessToken("a", 1) != AccessToken("b", 1)
    with pytest.raises(AttributeError):
        AccessToken("a", 1).token = "b"  # type: ignore[misc]


def test_imds_disabled_is_an_error_without_io(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    imds = Imds()
    with holding(colour, transport=imds) as credential:
        assert isinstance(credential.error(), ImdsUnavailableError)
    assert not imds.requests


def test_errors_start_with_the_class_that_the_user_called(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    imds = Imds()
    failures: list[Any] = [
        answer(400, {"error": "x"}),
        answer(200, "not JSON"),
        DOWN,
        answer(200, {"access_token": "x"}),
    ]
    with holding(colour, transport=imds, retry=None) as credential:
        start = f"{type(credential.credential).__name__}: "
        for imds.failure in failures:
            assert str(credential.error()).startswith(start)
        monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
        assert str(credential.error()).startswith(start)
