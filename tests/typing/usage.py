"""User-like code: one use of every public name. Never run; strict type checkers read it. Calls of all operations are
written from openapi.yaml (`typing_support.py`); those here also read what the calls return.

`assert_type` states what a user's editor shows, so that a change of the contract, of a template or of the wrapper that
changes a public type is seen here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, Literal, assert_type

import httpx
import httpx2
from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, BearerTokenCredentialPolicy
from cryptography.x509 import Certificate

import azure_imds
from azure_imds import (
    AccessToken,
    ArcChallengeError,
    AsyncImdsClient,
    AsyncImdsCredential,
    BadRequestError,
    Clock,
    EventChange,
    EventWatcher,
    ForbiddenError,
    GoneError,
    IdentityNotFoundError,
    ImdsAuth,
    ImdsClient,
    ImdsCredential,
    ImdsError,
    ImdsResponseError,
    ImdsStatusError,
    ImdsTimeoutError,
    ImdsUnavailableError,
    ImdsValidationError,
    InvalidResourceError,
    MultipleIdentitiesError,
    NotFoundError,
    ObservedCall,
    RetryPolicy,
    ServerError,
    ThrottledError,
    UnsupportedApiVersionError,
    as_address,
    as_bool,
    as_int,
    bearer_token_provider,
    primary_interface,
    tags,
    user_data,
)
from azure_imds.attestation import AttestationError, afetch_intermediates, fetch_intermediates, verify
from azure_imds_api import AuthenticatedClient, Client
from azure_imds_api.api.identity import identity_get_token
from azure_imds_api.api.instances import instances_get_metadata
from azure_imds_api.models import (
    AttestedData,
    AttestedDocument,
    Compute,
    ErrorResponse,
    IdentityErrorResponse,
    IdentityInfoResponse,
    IdentityTokenResponse,
    Instance,
    LoadBalancer,
    LoadBalancerResponse,
    NetworkInterface,
    ScheduledEvent,
    ScheduledEvents,
    StartEventsRequest,
    StartRequest,
    VersionsResponse,
)
from azure_imds_api.models.known_event_type import KnownEventType
from azure_imds_api.models.known_os_type import KnownOsType
from azure_imds_api.types import Response

RESOURCE = "https://vault.azure.net"
ID = "00000000-0000-0000-0000-000000000003"


def observe(call: ObservedCall) -> None:
    assert_type((call.operation, call.host, call.method, call.url), tuple[str, str, str, str])
    assert_type(call.status, int | None)
    assert_type(call.headers["x-ms-request-id"], str)
    assert_type(call.request_id, str | None)
    assert_type((call.attempts, call.started, call.elapsed, call.cached), tuple[int, float, float, bool])
    assert_type(call.waited_for, Literal["call", "process"] | None)
    assert_type(call.refresh, Literal["foreground", "background"] | None)
    assert_type((call.token_age, call.token_expires_on), tuple[float | None, int | None])
    assert_type(call.error, ImdsError | None)
    assert_type(call.error_type, str | None)


def constructors() -> None:
    ImdsClient(observer=observe).with_options(observer=None).with_options(observer=print).close()
    ImdsClient().with_options(headers={"x-a": "1"}, params={"a": "1"}).with_options(headers=None, params=None).close()
    AsyncImdsClient(observer=observe).with_options(headers={"x-a": "1"})
    ImdsCredential(observer=observe)
    AsyncImdsCredential(observer=observe)
    policy = RetryPolicy(attempts=3, first_wait=0.5, longest_wait=10, polite_wait=1)
    with ImdsClient("http://127.0.0.1:8080", timeout=1.0, deadline=5, retry=policy) as imds:
        assert_type(imds, ImdsClient)
        assert_type(imds.endpoint, str)
        assert_type(imds.http, httpx.Client)
    ImdsClient(endpoint=None, retry=None, transport=httpx.HTTPTransport()).close()
    ImdsClient(http_client=httpx.Client()).close()
    ImdsClient(api_version="newest", step_down=False, cache=True).with_options(cache=False, api_version=None).close()
    AsyncImdsClient(transport=httpx.AsyncHTTPTransport())
    AsyncImdsClient(http_client=httpx.AsyncClient(), deadline=1)
    clock = Clock()
    assert_type((clock.time(), clock.monotonic()), tuple[float, float])
    ImdsClient(clock=clock).close()
    ImdsCredential(client_id=ID)
    ImdsCredential(object_id=ID, shared_cache=True)
    ImdsCredential(resource_id="/subscriptions/x", shared_cache="/run/tokens")
    ImdsCredential(client=ImdsClient())
    ImdsCredential(endpoint="http://127.0.0.1:8080", deadline=5.0, transport=httpx.HTTPTransport())
    AsyncImdsCredential(client=AsyncImdsClient())
    AsyncImdsCredential(transport=httpx.AsyncHTTPTransport())
    httpx.Client(auth=ImdsAuth(RESOURCE, client_id=ID))
    httpx.AsyncClient(auth=ImdsAuth(RESOURCE))
    httpx2.Client(auth=ImdsAuth(RESOURCE))
    httpx2.AsyncClient(auth=ImdsAuth(RESOURCE))
    httpx.Client(auth=ImdsAuth(RESOURCE, credential=ImdsCredential()))


def operations(imds: ImdsClient) -> None:
    token = imds.identity.get_token(resource=RESOURCE)
    assert_type(token, IdentityTokenResponse)
    assert_type(token.access_token, str)
    assert_type(token.expires_on, int | str | None)
    assert_type(token.refresh_in, int | str | None)
    imds.identity.get_token(resource=RESOURCE, api_version="2019-08-01", client_id=ID, bypass_cache="true")
    imds.identity.get_token(resource=RESOURCE, object_id=ID, authority="https://login.microsoftonline.com/")
    imds.identity.get_token(resource=RESOURCE, msi_res_id="/subscriptions/x")

    info = imds.identity.get_info(api_version="2018-10-01")
    assert_type(info, IdentityInfoResponse)
    assert_type(info.tenant_id, str)

    instance = imds.instances.get_metadata(format_="json", extended="true", api_version="2023-11-15")
    assert_type(instance, Instance)
    assert_type(instance.compute, Compute)
    assert_type(instance.compute.name, str)
    assert_type(instance.compute.os_type, KnownOsType | str)
    assert_type(instance.compute.storage_profile.os_disk.managed_disk.id, str)
    assert_type([tag.name for tag in instance.compute.tags_list], list[str])
    assert_type(instance.extended.compute.has_custom_data, bool | None)

    document = imds.attested.get_document(nonce="1234567890")
    assert_type(document, AttestedDocument)
    assert_type(document.signature, str)

    events = imds.scheduled_events.get_events()
    assert_type(events, ScheduledEvents)
    assert_type(events.document_incarnation, int)
    for event in events.events:
        assert_type(event, ScheduledEvent)
        assert_type(event.event_type, KnownEventType | str)
        assert_type(event.duration_in_seconds, int | None)
    consent = StartEventsRequest(start_requests=[StartRequest(event_id="A1")])
    imds.scheduled_events.start_events(body=consent)

    balancer = imds.load_balancer.get_metadata()
    assert_type(balancer, LoadBalancerResponse)
    assert_type(balancer.loadbalancer, LoadBalancer)
    assert_type([rule.backend_port for rule in balancer.loadbalancer.inbound_rules], list[int | None])

    versions = imds.versions.get_versions()
    assert_type(versions, VersionsResponse)
    assert_type(versions.api_versions, list[str])


def the_rest_of_the_client(imds: ImdsClient) -> None:
    assert_type(imds.get("compute/location"), Any)
    assert_type(imds.get("network/interface/0", api_version="2021-02-01"), Any)
    assert_type(imds.is_available(), bool)
    assert_type(imds.with_options(deadline=2), ImdsClient)
    assert_type(imds.with_options(timeout=None, retry=None), ImdsClient)
    imds.close()


async def asynchronously() -> None:
    async with AsyncImdsClient(deadline=5) as imds:
        assert_type(imds, AsyncImdsClient)
        assert_type(imds.http, httpx.AsyncClient)
        assert_type(await imds.identity.get_token(resource=RESOURCE, client_id=ID), IdentityTokenResponse)
        assert_type(await imds.identity.get_info(), IdentityInfoResponse)
        assert_type(await imds.instances.get_metadata(), Instance)
        assert_type(await imds.attested.get_document(nonce="1"), AttestedDocument)
        assert_type(await imds.scheduled_events.get_events(), ScheduledEvents)
        await imds.scheduled_events.start_events(body=StartEventsRequest(start_requests=[StartRequest(event_id="A1")]))
        assert_type(await imds.load_balancer.get_metadata(), LoadBalancerResponse)
        assert_type(await imds.versions.get_versions(), VersionsResponse)
        assert_type(await imds.get("compute/location"), Any)
        assert_type(await imds.is_available(), bool)
        assert_type(imds.with_options(retry=None), AsyncImdsClient)
        await imds.close()


def credentials() -> None:
    with ImdsCredential() as credential:
        token = credential.get_token(f"{RESOURCE}/.default", claims="{}", tenant_id=ID, enable_cae=True)
        assert_type(token, AccessToken)
        assert_type(
            (token.token, token.expires_on, token.refresh_on, token.token_type), tuple[str, int, int | None, str]
        )
        assert_type(credential.get_token_info(RESOURCE, options={"claims": "{}"}), AccessToken)
        text, expires_on = token
        assert_type((text, expires_on), tuple[str, int])
        assert_type((token[0], token[1]), tuple[str, int])
        assert_type(token.expires_at, datetime)
        credential.clear()
        BearerTokenCredentialPolicy(credential, RESOURCE)
        provider = bearer_token_provider(credential, RESOURCE)
        assert_type(provider(), str)
        _: TokenCredential = credential
        with_information: SupportsTokenInfo = credential
        del with_information


async def asynchronous_credentials() -> None:
    async with AsyncImdsCredential(client_id=ID) as credential:
        assert_type(await credential.get_token(RESOURCE), AccessToken)
        assert_type(await credential.get_token_info(RESOURCE), AccessToken)
        credential.clear()
        AsyncBearerTokenCredentialPolicy(credential, RESOURCE)
        provider = bearer_token_provider(credential, RESOURCE)
        assert_type(await provider(), str)
        _: AsyncTokenCredential = credential
        with_information: AsyncSupportsTokenInfo = credential
        del with_information


def events(imds: ImdsClient) -> None:
    with EventWatcher(imds, interval=1.0, resource="auto") as watcher:
        for change in watcher:
            assert_type(change, EventChange)
            assert_type(change.kind, Literal["added", "changed", "gone"])
            assert_type(change.event, ScheduledEvent)
            watcher.approve(change)
            watcher.approve(change.event.event_id)
        watcher.stop()


def event_handlers(imds: ImdsClient) -> None:
    watcher = EventWatcher(imds)

    @watcher.on("Preempt", "Terminate")
    def drain(change: EventChange, seconds: float | None) -> None:
        assert_type(change.seconds_left(), float | None)
        assert_type(watcher.seconds_left(change), float | None)

    drain(EventChange("gone", ScheduledEvent.from_dict({})), 1.0)
    handler: Callable[[EventChange, float | None], None] = watcher.on("Reboot")(drain)
    del handler
    known: KnownEventType = "Freeze"
    watcher.on(known, "a-type-of-next-year")(drain)
    assert_type(watcher.run(margin=2.0, approve=True), None)


async def asynchronous_event_handlers(imds: AsyncImdsClient) -> None:
    watcher = EventWatcher(imds, resource=None)

    @watcher.on("Reboot")
    async def drain(change: EventChange, seconds: float | None) -> bool:
        assert_type(watcher.seconds_left(change.event), float | None)
        await watcher.approve(change)
        return True

    assert_type(await drain(EventChange("gone", ScheduledEvent.from_dict({})), None), bool)
    assert_type(await watcher.run(approve=False), None)


async def asynchronous_events(imds: AsyncImdsClient) -> AsyncIterator[EventChange]:
    async with EventWatcher(imds, resource=["vm-0", "vm-1"]) as watcher:
        async for change in watcher:
            await watcher.approve(change.event)
            yield change


def attestation(imds: ImdsClient) -> None:
    document = imds.attested.get_document(nonce="1234567890")
    certificates = fetch_intermediates(document)
    assert_type(certificates, list[Certificate])
    try:
        data = verify(document, nonce="1234567890", intermediates=certificates, cloud="public")
    except AttestationError as error:
        one_of_many: str = error.reason
        del one_of_many
    else:
        assert_type(data, AttestedData)
        assert_type((data.vm_id, data.time_stamp.expires_on), tuple[str, str])


async def asynchronous_attestation(imds: AsyncImdsClient) -> None:
    assert_type(await afetch_intermediates(await imds.attested.get_document()), list[Certificate])


def values(instance: Instance, text: str | None) -> None:
    assert_type(tags(instance), dict[str, str])
    assert_type(user_data(instance), bytes)
    assert_type(primary_interface(instance), NetworkInterface)
    assert_type(as_bool(text), bool | None)
    assert_type(as_int(text), int | None)
    assert_type(as_address(text), ipaddress.IPv4Address | ipaddress.IPv6Address | None)


def errors(imds: ImdsClient) -> None:
    try:
        imds.identity.get_token(resource=RESOURCE)
    except (IdentityNotFoundError, MultipleIdentitiesError, InvalidResourceError) as error:
        assert_type(error.error_description, str | None)
    except UnsupportedApiVersionError as error:
        assert_type(error.newest_versions, tuple[str, ...])
    except ThrottledError as error:
        assert_type(error.retry_after, float | None)
    except (BadRequestError, ForbiddenError, NotFoundError, GoneError, ServerError) as error:
        assert_type(error.status_code, int)
    except ImdsStatusError as error:
        assert_type((error.error, error.request_id), tuple[str | None, str | None])
        assert_type(error.response, httpx.Response | None)
    except ImdsTimeoutError as error:
        assert_type(error.deadline, float)
        a_timeout: TimeoutError = error
        del a_timeout
    except (ImdsUnavailableError, ImdsResponseError, ArcChallengeError) as error:
        assert_type((error.url, error.attempts, error.elapsed), tuple[str, int, float])
    except ImdsValidationError as error:
        assert_type(error.parameter, str)
        a_value_error: ValueError = error
        del a_value_error
    except ImdsError as error:
        assert_type((error.retryable, error.hint), tuple[bool, str])


def the_low_level_client() -> None:
    client = Client(base_url="http://169.254.169.254/metadata")
    answer = identity_get_token.sync(client=client, resource=RESOURCE)
    assert_type(answer, IdentityErrorResponse | IdentityTokenResponse | None)
    detailed = identity_get_token.sync_detailed(
        client=AuthenticatedClient(base_url="http://localhost:40342/metadata", token="key", prefix="Basic"),
        resource=RESOURCE,
        metadata="true",
    )
    assert_type(detailed, Response[IdentityErrorResponse | IdentityTokenResponse])
    assert_type(instances_get_metadata.sync(client=client), ErrorResponse | Instance | None)


async def the_low_level_client_asynchronously() -> None:
    client = Client(base_url="http://169.254.169.254/metadata")
    answer = await identity_get_token.asyncio(client=client, resource=RESOURCE)
    assert_type(answer, IdentityErrorResponse | IdentityTokenResponse | None)
    detailed = await identity_get_token.asyncio_detailed(client=client, resource=RESOURCE)
    assert_type(detailed.parsed, IdentityErrorResponse | IdentityTokenResponse | None)


def the_package() -> None:
    assert_type(azure_imds.__version__, str)
    assert_type(azure_imds.spec_version, str)


def an_instance(document: dict[str, Any]) -> None:
    instance = Instance.from_dict(document)
    assert_type(instance, Instance)
    assert_type(instance.to_dict(), dict[str, Any])
    assert_type(instance.additional_properties, dict[str, Any])
    assert_type("zone" in instance.compute, bool)
    assert_type(list(instance.compute), list[str])
    assert_type(instance.compute.additional_keys, list[str])
    instance.compute["zone"] = instance["compute"]["vmSize"]
    del instance.compute["zone"]
    assert_type(Compute(location="eastus").location, str)
