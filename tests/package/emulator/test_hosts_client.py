"""The client of this project on every host that the emulator plays."""

from __future__ import annotations

from typing import Any

import pytest

from azure_imds import IdentityNotFoundError, ImdsError, ImdsValidationError, InvalidResourceError
from azure_imds_emulator import Emulator
from azure_imds_emulator.hosts import list_host_names
from support import RESOURCE, Colour, FakeClock, get_token

HOSTS = [name for name in list_host_names() if name not in ("vm", "azure", "arc")]
UNKNOWN = "11111111-1111-1111-1111-111111111111"


def enter(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this process one on the host."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("host", HOSTS)
def test_it_gets_tokens_and_follows_a_rotated_secret(
    host: str, colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(host=host) as emulator:
        enter(emulator, monkeypatch)
        assert colour.run(lambda imds: imds.host) == host
        first = colour.run(get_token)
        if host != "cloud-shell":
            emulator.rotate_secret()
            enter(emulator, monkeypatch)
        # The platform keeps its token.
        assert colour.run(get_token).access_token == first.access_token
        assert [request.status for request in emulator.requests] == [200, 200]


@pytest.mark.parametrize("host", HOSTS)
def test_it_names_what_is_wrong(host: str, colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown_identity(imds: Any) -> Any:
        return imds.identity.get_token(resource=RESOURCE, client_id=UNKNOWN)

    with Emulator(host=host) as emulator:
        enter(emulator, monkeypatch)
        error = colour.error(unknown_identity, retry=None)
        assert isinstance(error, (IdentityNotFoundError, ImdsValidationError))
        emulator.machine.invalid_resources.add(RESOURCE)
        error = colour.error(get_token, retry=None)
        has_class = host in ("app-service", "cloud-shell", "workload-identity")
        assert isinstance(error, InvalidResourceError if has_class else ImdsError)


@pytest.mark.parametrize("host", HOSTS)
def test_it_retries_what_the_host_lacks_for_a_moment(
    host: str, colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator(host=host) as emulator:
        enter(emulator, monkeypatch)
        emulator.fail(503)
        assert colour.run(get_token, clock=FakeClock()).access_token
        assert [request.status for request in emulator.requests] == [503, 200]
