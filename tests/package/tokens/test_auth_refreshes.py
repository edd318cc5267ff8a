"""A service that rejects every token cannot make `ImdsAuth` request one from IMDS for each request."""

from __future__ import annotations

from typing import Any

import pytest

from auth_support import SERVICE, Service, challenge, send
from azure_imds import AsyncImdsCredential, ImdsAuth, ImdsCredential, ImdsUnavailableError
from support import Colour, answer
from token_support import DOWN, Clocks, Imds, holding

REJECTED = answer(401, www_authenticate=challenge())


def new_credential(colour: Colour, imds: Imds, clock: Clocks) -> Any:
    kind: Any = ImdsCredential if colour.name == "sync" else AsyncImdsCredential
    return kind(transport=imds, clock=clock, retry=None)


class Setting:
    """A credential, and requests to a service that rejects every token."""

    def __init__(self, colour: Colour) -> None:
        self.colour = colour
        self.clock = Clocks()
        self.imds = Imds(self.clock)
        self.service = Service(REJECTED)
        self.credential = new_credential(colour, self.imds, self.clock)

    def send(self, count: int = 1, resource: str = SERVICE) -> list[Any]:
        auth = ImdsAuth(resource, credential=self.credential)
        return send(self.colour, self.service, auth, *[("GET", SERVICE)] * count)


@pytest.fixture
def setting(colour: Colour) -> Setting:
    return Setting(colour)


def test_many_rejections_cause_one_forced_refresh(setting: Setting) -> None:
    results = setting.send(10)
    assert [result.status_code for result in results] == [401] * 10
    assert len(setting.imds) == 2
    assert setting.service.tokens == ["1", *["2"] * 10], "only the first request was repeated"


def test_after_half_a_minute_the_next_one_is_allowed(setting: Setting) -> None:
    setting.send(2)
    setting.clock.advance(29)
    setting.send(2)
    assert len(setting.imds) == 2
    setting.clock.advance(1)
    setting.send(2)
    assert len(setting.imds) == 3


def test_a_failed_refresh_is_followed_by_a_pause_as_well(setting: Setting) -> None:
    setting.service.answers.insert(0, answer(200))
    setting.send()
    setting.imds.failure = DOWN
    first, *later = setting.send(5)
    assert isinstance(first, ImdsUnavailableError)
    assert [result.status_code for result in later] == [401] * 4
    assert len(setting.imds) == 2


def test_the_pause_is_that_of_the_credential_and_the_resource(setting: Setting) -> None:
    setting.send()
    setting.send()
    setting.send(resource=f"{SERVICE}/.default")
    assert len(setting.imds) == 2
    setting.send(resource="https://storage.azure.com")
    assert len(setting.imds) == 4


def test_clear_ends_the_pause(setting: Setting) -> None:
    setting.send()
    setting.credential.clear()
    setting.send()
    assert len(setting.imds) == 4


def test_a_token_that_was_replaced_in_the_meantime_is_used_without_a_refresh(setting: Setting) -> None:
    answers = [answer(200), REJECTED, answer(200)]
    setting.service = Service(*answers)

    def service(request: Any) -> Any:
        if len(setting.service.requests) == 1:
            setting.credential.clear()  # as another caller could, while the request is on its way
        return setting.service(request)

    results = send(setting.colour, service, ImdsAuth(SERVICE, credential=setting.credential), *[("GET", SERVICE)] * 2)
    assert [result.status_code for result in results] == [200, 200]
    assert setting.service.tokens == ["1", "1", "2"]
    assert "bypass_cache" not in setting.imds.query()


def test_a_service_is_not_asked_again_with_the_token_that_it_has_just_rejected(setting: Setting) -> None:
    # Microsoft's FAQ: IMDS keeps tokens itself, so a new one cannot be forced.
    setting.imds.fields["access_token"] = "the-same-token"
    (response,) = setting.send()
    assert response.status_code == 401
    assert len(setting.service.requests) == 1
    assert len(setting.imds) == 2


def test_the_program_itself_may_force_refreshes_at_any_time(colour: Colour) -> None:
    clock = Clocks()
    imds = Imds(clock)
    with holding(colour, transport=imds, clock=clock) as credential:
        for _ in range(3):
            credential.get_token(force_refresh=True)
            credential.get_token(claims="{}")
    assert len(imds) == 6
