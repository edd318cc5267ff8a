"""Which api-version is requested, what happens if the host does not support it, and what is cached."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from azure_imds import ImdsClient, ImdsValidationError, UnsupportedApiVersionError
from azure_imds_emulator import Emulator
from support import Colour, Script, answer, example, get_token, ok

UNKNOWN = answer(400, example("errors-missing-api-version") | {"newest-versions": ["2021-05-01", "2021-03-01"]})
INSTANCE = answer(200, {"compute": {"location": "eastus"}})
VERSIONS = answer(200, {"apiVersions": ["2017-03-01", "2021-05-01", "2021-02-01"]})


def versions(script: Script) -> list[str | None]:
    return [request.url.params.get("api-version") for request in script.requests]


def get_instance(imds: Any) -> Any:
    return imds.instances.get_metadata()


def test_each_operation_has_its_own_version(colour: Colour) -> None:
    script = Script(INSTANCE)
    colour.run(get_instance, transport=script)
    assert versions(script) == ["2023-11-15"]


@pytest.mark.parametrize("call", [get_instance, lambda imds: imds.get("compute")], ids=["whole", "node"])
def test_an_old_host_is_asked_for_the_newest_common_version(
    colour: Colour, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script(UNKNOWN, INSTANCE)
    with caplog.at_level(logging.INFO, "azure_imds"):
        colour.run(call, transport=script)
    assert versions(script) == ["2023-11-15", "2021-05-01"]
    assert "2021-05-01 from now on" in caplog.text


def test_a_client_remembers_the_version_of_its_host(colour: Colour) -> None:
    script = Script(UNKNOWN, INSTANCE)
    if str(colour) == "sync":
        with ImdsClient(transport=script) as imds:
            imds.instances.get_metadata()
            imds.with_options(timeout=1).instances.get_metadata()
        assert versions(script) == ["2023-11-15", "2021-05-01", "2021-05-01"]


def test_it_steps_down_only_once(colour: Colour) -> None:
    script = Script(UNKNOWN)
    error = colour.error(get_instance, transport=script)
    assert isinstance(error, UnsupportedApiVersionError)
    assert error.newest_versions == ("2021-05-01", "2021-03-01")
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"step_down": False}, get_instance),
        ({}, lambda imds: imds.instances.get_metadata(api_version="2023-11-15")),
        ({}, lambda imds: imds.scheduled_events.get_events()),
        ({}, get_token),
    ],
    ids=["switched off", "the caller named one", "events have their own list", "so does identity"],
)
def test_it_does_not_step_down(colour: Colour, options: dict[str, Any], call: Any) -> None:
    script = Script(UNKNOWN)
    assert isinstance(colour.error(call, transport=script, **options), UnsupportedApiVersionError)
    assert len(script.requests) == 1


@pytest.mark.parametrize("offered", [[], ["2099-01-01"], ["latest"], "2021-05-01", [7]])
def test_it_does_not_step_down_to_an_invalid_version(colour: Colour, offered: Any) -> None:
    script = Script(answer(400, {"error": "x", "newest-versions": offered}))
    colour.error(get_instance, transport=script)
    assert len(script.requests) == 1


def test_a_client_can_have_a_default_version(colour: Colour) -> None:
    script = Script(INSTANCE)
    colour.run(get_instance, transport=script, api_version="2021-02-01")
    assert versions(script) == ["2021-02-01"]


def test_a_method_s_own_argument_takes_precedence(colour: Colour) -> None:
    script = Script(INSTANCE)
    colour.run(
        lambda imds: imds.instances.get_metadata(api_version="2019-06-01"), transport=script, api_version="2021-02-01"
    )
    assert versions(script) == ["2019-06-01"]


def test_a_client_s_version_does_not_apply_to_identity_and_events(colour: Colour) -> None:
    script = Script(ok())
    colour.run(get_token, transport=script, api_version="2025-04-07")
    assert versions(script) == ["2018-10-01"]


def test_the_newest_version_of_the_host(colour: Colour) -> None:
    script = Script(VERSIONS, INSTANCE)
    colour.run(get_instance, transport=script, api_version="newest")
    assert versions(script) == [None, "2021-05-01"]


def test_the_host_s_versions_are_requested_once() -> None:
    script = Script(VERSIONS, INSTANCE)
    with ImdsClient(transport=script, api_version="newest") as imds:
        imds.instances.get_metadata()
        imds.get("compute")
    assert versions(script) == [None, "2021-05-01", "2021-05-01"]


@pytest.mark.parametrize("version", ["", "latest", "2021", "2021-02-01\n", 20210201])
def test_a_client_s_version_is_checked(version: Any) -> None:
    with pytest.raises(ImdsValidationError) as caught:
        ImdsClient(api_version=version)
    assert caught.value.parameter == "api_version"


def test_every_published_version_of_the_document_is_read(colour: Colour) -> None:
    with Emulator() as emulator:
        known = colour.run(lambda imds: imds.versions.get_versions(), endpoint=emulator.endpoint).api_versions
        assert len(known) == 38

        async def read(imds: Any) -> list[Any]:
            return [await imds.instances.get_metadata(api_version=version) for version in known[1:]]

        def read_now(imds: Any) -> list[Any]:
            return [imds.instances.get_metadata(api_version=version) for version in known[1:]]

        documents = colour.run(read_now if str(colour) == "sync" else read, endpoint=emulator.endpoint)
    assert all(document.network.interface for document in documents)
    assert not any(document.additional_properties for document in documents)


def test_static_responses_are_cached_on_request() -> None:
    script = Script(INSTANCE)
    with ImdsClient(transport=script, cache=True) as imds:
        first, second = imds.instances.get_metadata(), imds.instances.get_metadata()
        assert first == second
        assert first is not second, "each caller gets an object of its own"
        imds.get("compute")
        imds.with_options(cache=False).instances.get_metadata()
    assert len(script.requests) == 3


def test_nothing_is_cached_by_default() -> None:
    script = Script(INSTANCE)
    with ImdsClient(transport=script) as imds:
        imds.instances.get_metadata()
        imds.instances.get_metadata()
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (lambda imds: imds.scheduled_events.get_events(), "scheduledevents-empty"),
        (lambda imds: imds.attested.get_document(), "attested-document"),
        (lambda imds: imds.identity.get_token(resource="r"), "token"),
    ],
    ids=["events", "signed documents", "tokens"],
)
def test_some_responses_are_never_cached(call: Any, body: str) -> None:
    script = Script(answer(200, example(body)))
    with ImdsClient(transport=script, cache=True) as imds:
        call(imds)
        call(imds)
    assert len(script.requests) == 2


def test_a_failure_is_not_cached() -> None:
    script = Script(answer(404, {"error": "Not found"}), INSTANCE)
    with ImdsClient(transport=script, cache=True) as imds:
        with pytest.raises(Exception, match="404"):
            imds.instances.get_metadata()
        assert imds.instances.get_metadata().compute


def test_an_error_says_that_there_is_no_load_balancer(colour: Colour) -> None:
    with Emulator() as emulator:
        emulator.machine.load_balancer = None
        error = colour.error(lambda imds: imds.load_balancer.get_metadata(), endpoint=emulator.endpoint)
    assert "not behind a Standard load balancer" in str(error)
