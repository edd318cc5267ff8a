"""`azure_imds.integrations.opentelemetry` with OpenTelemetry's own SDK."""

from __future__ import annotations

import logging
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from azure_imds import ImdsClient, ImdsError, ImdsTimeoutError, ImdsUnavailableError, ImdsValidationError
from azure_imds.integrations.opentelemetry import AzureImdsResourceDetector, observer
from support import (
    CANARY,
    CLIENT_ID,
    RESOURCE,
    Colour,
    FakeClock,
    Script,
    answer,
    example,
    get_token,
    ok,
    python,
    token,
)
from token_support import DAY, DOWN, HOUR, Clocks, Gate, Imds, holding
from transport_support import black_hole

UNAVAILABLE = answer(503, {"error": "x"})


class Telemetry:
    """Providers of the SDK that keep what they receive, and an observer that uses them."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])
        self.observer = observer(self.tracers, self.meters)

    @property
    def spans(self) -> list[ReadableSpan]:
        return [span for span in self._exporter.get_finished_spans() if span.name != "parent"]

    def points(self) -> dict[str, list[Any]]:
        """The data points of each metric."""
        data = self._reader.get_metrics_data()
        scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
        assert {scope.scope.name for scope in scopes} <= {"azure_imds"}
        return {metric.name: list(metric.data.data_points) for scope in scopes for metric in scope.metrics}


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()


def run(telemetry: Telemetry, colour: Colour, *answers: Any, action: Callable[[Any], Any] = get_token, **options: Any):  # type: ignore[no-untyped-def]
    """Runs an action, which may fail, and returns its only span."""
    options = {"transport": Script(*answers), "clock": FakeClock(), "observer": telemetry.observer, **options}
    with suppress(ImdsError):
        colour.run(action, **options)
    (span,) = telemetry.spans
    return span


# Spans


def test_a_call_is_a_client_span_with_the_attributes_of_http(telemetry: Telemetry, colour: Colour) -> None:
    span = run(telemetry, colour, answer(200, token(), x_ms_request_id="id-7"))
    assert (span.name, span.kind) == ("GET identity.get_token", SpanKind.CLIENT)
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.full": "http://169.254.169.254/metadata/identity/oauth2/token",
        "url.scheme": "http",
        "server.address": "169.254.169.254",
        "server.port": 80,
        "azure.service.request.id": "id-7",
        "azure_imds.operation": "identity.get_token",
        "azure_imds.host": "azure",
    }
    assert span.status.status_code == StatusCode.UNSET


def test_the_times_are_those_of_the_call(telemetry: Telemetry, colour: Colour) -> None:
    span = run(telemetry, colour, UNAVAILABLE, ok())
    assert span.start_time == 1_700_000_000 * 10**9
    assert (span.end_time - span.start_time) / 1e9 == pytest.approx(1.8)


def test_retries_are_counted(telemetry: Telemetry, colour: Colour) -> None:
    span = run(telemetry, colour, UNAVAILABLE, UNAVAILABLE, ok())
    assert span.attributes["http.request.resend_count"] == 2


def test_the_parent_is_the_caller_s_span(telemetry: Telemetry, colour: Colour) -> None:
    tracer = telemetry.tracers.get_tracer("program")
    with tracer.start_as_current_span("parent") as parent:
        span = run(telemetry, colour, ok())
    assert span.parent.span_id == parent.get_span_context().span_id


def test_an_error_status(telemetry: Telemetry, colour: Colour) -> None:
    span = run(telemetry, colour, answer(404, {"error": "x"}), action=lambda imds: imds.versions.get_versions())
    assert span.status.status_code == StatusCode.ERROR
    assert (span.attributes["error.type"], span.attributes["http.response.status_code"]) == ("404", 404)
    assert span.status.description.startswith("versions.get_versions: IMDS answered 404 x")


def test_an_error_without_a_response(telemetry: Telemetry, colour: Colour) -> None:
    span = run(telemetry, colour, httpx.ReadTimeout("late"), retry=None)
    assert span.status.status_code == StatusCode.ERROR
    assert span.attributes["error.type"] == "ImdsTimeoutError"
    assert "http.response.status_code" not in span.attributes


def test_a_call_that_sends_nothing_is_no_http_span(telemetry: Telemetry, colour: Colour) -> None:
    span = run(telemetry, colour, ok(), action=lambda imds: imds.identity.get_token(resource=""))
    assert (span.name, span.kind) == ("identity.get_token", SpanKind.INTERNAL)
    assert span.attributes["error.type"] == "ImdsValidationError"
    assert not {"http.request.method", "url.full", "server.address"} & {*span.attributes}


def test_no_span_has_a_secret_or_a_query(telemetry: Telemetry, colour: Colour) -> None:
    action = lambda imds: imds.identity.get_token(resource=RESOURCE, client_id=CLIENT_ID)  # noqa: E731
    leaky = answer(400, {"error": "x", "access_token": CANARY}, x_copy=CANARY)
    text = run(telemetry, colour, leaky, action=action, retry=None).to_json()
    assert CANARY not in text
    assert CLIENT_ID not in text
    assert "?" not in text


def test_port_and_address_of_ipv6_and_of_https(telemetry: Telemetry) -> None:
    with ImdsClient("https://[::1]", transport=Script(ok()), observer=telemetry.observer) as imds:
        get_token(imds)
    attributes = telemetry.spans[0].attributes or {}
    assert (attributes["server.address"], attributes["server.port"], attributes["url.scheme"]) == ("::1", 443, "https")


def test_telemetry_causes_no_telemetry(telemetry: Telemetry, colour: Colour) -> None:
    mark = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        colour.run(get_token, transport=Script(ok()), observer=telemetry.observer)
    finally:
        detach(mark)
    assert telemetry.spans == []
    assert telemetry.points() == {}


# Tokens


def test_a_stored_token_is_a_metric_and_no_span(telemetry: Telemetry, colour: Colour) -> None:
    with holding(colour, transport=Imds(), observer=telemetry.observer) as held:
        held.get_token()
        held.get_token()
        held.get_token()
    (span,) = telemetry.spans
    assert span.attributes
    assert span.attributes["azure_imds.refresh"] == "foreground"
    points = telemetry.points()
    assert [point.value for point in points["azure_imds.cache.hits"]] == [2]
    assert [
        (point.value, point.attributes["azure_imds.refresh"]) for point in points["azure_imds.token.refreshes"]
    ] == [(1, "foreground")]
    assert [point.count for point in points["http.client.request.duration"]] == [1]


def test_a_refresh_in_the_background_has_no_parent(telemetry: Telemetry, colour: Colour) -> None:
    clock = Clocks()
    tracer = telemetry.tracers.get_tracer("program")
    with holding(colour, transport=Imds(clock), clock=clock, observer=telemetry.observer) as held:
        held.get_token()
        clock.advance(DAY / 2 + HOUR)
        with tracer.start_as_current_span("parent"):
            held.get_token()
        held.wait_for_refreshes()
    assert [(span.attributes["azure_imds.refresh"], span.parent) for span in telemetry.spans if span.attributes] == [
        ("foreground", None),
        ("background", None),
    ]


def test_a_failed_refresh_has_its_reason(telemetry: Telemetry, colour: Colour) -> None:
    imds = Imds()
    imds.failure = DOWN
    with holding(colour, transport=imds, observer=telemetry.observer, retry=None) as held:
        held.error()
    (point,) = telemetry.points()["azure_imds.token.refreshes"]
    assert point.attributes["error.type"] == "ImdsUnavailableError"


def test_age_and_remaining_life_of_tokens(telemetry: Telemetry, colour: Colour) -> None:
    clock = Clocks()
    with holding(colour, transport=Imds(clock), clock=clock, observer=telemetry.observer) as held:
        held.get_token()
        clock.advance(600)
        held.get_token()
    points = telemetry.points()
    assert sum(point.sum for point in points["azure_imds.token.age"]) == 600
    assert sum(point.sum for point in points["azure_imds.token.remaining_life"]) == 2 * DAY - 600


def test_waits_for_other_calls(telemetry: Telemetry, colour: Colour) -> None:
    gate = Gate()
    imds = Imds()
    imds.gates = [gate]
    with holding(colour, transport=imds, observer=telemetry.observer) as held:
        crowd = held.crowd(3)
        gate.wait_for()
        crowd.wait_until_joined()
        gate.open()
        crowd.results()
    assert [point.value for point in telemetry.points()["azure_imds.waits"]] == [2]
    kinds = sorted(span.kind.name for span in telemetry.spans)
    assert kinds == ["CLIENT", "INTERNAL", "INTERNAL"]


# Metrics


def test_the_duration_has_the_name_unit_and_boundaries_of_the_conventions(telemetry: Telemetry, colour: Colour) -> None:
    run(telemetry, colour, UNAVAILABLE, ok())
    (point,) = telemetry.points()["http.client.request.duration"]
    assert point.sum == pytest.approx(1.8)
    assert point.explicit_bounds == (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    assert dict(point.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "169.254.169.254",
        "server.port": 80,
        "url.scheme": "http",
        "azure_imds.operation": "identity.get_token",
    }


def test_the_duration_of_a_failure_has_its_reason(telemetry: Telemetry, colour: Colour) -> None:
    run(telemetry, colour, UNAVAILABLE, retry=None)
    (point,) = telemetry.points()["http.client.request.duration"]
    assert point.attributes["error.type"] == "503"


def test_retries_are_a_metric(telemetry: Telemetry, colour: Colour) -> None:
    run(telemetry, colour, UNAVAILABLE, UNAVAILABLE, ok())
    assert [point.value for point in telemetry.points()["azure_imds.retries"]] == [2]


def test_cached_documents_are_hits(telemetry: Telemetry) -> None:
    with ImdsClient(
        transport=Script(answer(200, example("instance"))), cache=True, observer=telemetry.observer
    ) as imds:
        imds.instances.get_metadata()
        imds.instances.get_metadata()
    (point,) = telemetry.points()["azure_imds.cache.hits"]
    assert (point.value, point.attributes["azure_imds.operation"]) == (1, "instances.get_metadata")


def test_an_observer_is_pickled_unless_it_has_providers(telemetry: Telemetry) -> None:
    assert callable(pickle.loads(pickle.dumps(observer())))
    with pytest.raises(TypeError, match="providers of its own"):
        pickle.dumps(telemetry.observer)


def test_providers_that_are_set_later_are_used() -> None:
    code = """if True:
        import httpx
        from azure_imds import ImdsClient
        from azure_imds.integrations.opentelemetry import observer
        seen = observer()
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
        trace.set_tracer_provider(TracerProvider())
        trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
        metrics.set_meter_provider(MeterProvider([reader]))
        body = {"apiVersions": ["2021-02-01"]}
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json=body, headers={"server": "IMDS/1"}))
        ImdsClient(transport=transport, observer=seen).versions.get_versions()
        (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
        print([span.name for span in exporter.get_finished_spans()], sorted(metric.name for metric in scope.metrics))
    """
    assert python(code).stdout.strip() == "['GET versions.get_versions'] ['http.client.request.duration']"


# The resource


def detect(*answers: Any, **options: Any) -> dict[str, Any]:
    with ImdsClient(transport=Script(*answers), clock=FakeClock(), retry=None) as client:
        return dict(AzureImdsResourceDetector(client=client, **options).detect().attributes)


def test_the_resource_of_a_virtual_machine() -> None:
    compute = example("instance")["compute"]
    assert detect(answer(200, example("instance"))) == {
        name: value
        for name, value in {
            "cloud.provider": "azure",
            "cloud.platform": "azure.vm",
            "cloud.region": compute["location"],
            "cloud.account.id": compute["subscriptionId"],
            "cloud.availability_zone": compute["zone"],
            "cloud.resource_id": compute["resourceId"],
            "host.id": compute["vmId"],
            "host.name": compute["name"],
            "host.type": compute["vmSize"],
            "host.image.id": compute["storageProfile"]["imageReference"]["id"],
            "host.image.name": f"{compute['publisher']}:{compute['offer']}:{compute['sku']}",
            "host.image.version": compute["version"],
            "os.type": compute["osType"].lower(),
            "azure.resource_group.name": compute["resourceGroupName"],
            "azure.vm.scaleset.name": compute["vmScaleSetName"],
            "azure.vm.sku": compute["sku"],
        }.items()
        if value
    }


@pytest.mark.parametrize(
    "name", ["instance", "instance-minimal-imageless", "instance-2018-10-01", "instance-2025-04-07"]
)
def test_every_attribute_is_text_that_is_not_empty(name: str) -> None:
    found = detect(answer(200, example(name)))
    assert found["cloud.provider"] == "azure"
    assert all(isinstance(value, str) and value for value in found.values())


def test_what_a_document_lacks_is_left_out() -> None:
    assert detect(answer(200, {"network": {"interface": []}})) == {
        "cloud.provider": "azure",
        "cloud.platform": "azure.vm",
    }


@pytest.mark.parametrize("value", [5, True, ["Linux"], {"a": "b"}])
def test_a_value_that_is_no_text_is_left_out(value: Any) -> None:
    compute = {"osType": value, "publisher": "Canonical", "offer": "ubuntu", "sku": value, "name": value}
    assert detect(answer(200, {"compute": compute})) == {"cloud.provider": "azure", "cloud.platform": "azure.vm"}


def test_on_azure_arc_there_is_no_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:40342/metadata/identity/oauth2/token")
    monkeypatch.setenv("IMDS_ENDPOINT", "http://127.0.0.1:40342")
    found = detect(answer(200, {"compute": {"name": "server", "osType": "Windows"}}))
    assert found == {"cloud.provider": "azure", "host.name": "server", "os.type": "windows"}


FAILURES: list[Any] = [
    httpx.ConnectError("refused"),
    answer(404, {"error": "x"}),
    answer(200, "no JSON"),
    answer(200, {}),
    answer(200, []),
    httpx.Response(200, html="<html>"),
    RuntimeError("a broken transport"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: getattr(one, "text", None) or repr(one))
def test_without_a_document_the_resource_is_empty(failure: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert detect(failure) == {}
    assert "AzureImdsResourceDetector: nothing is detected: " in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize("failure", FAILURES[:6], ids=lambda one: getattr(one, "text", None) or repr(one))
def test_the_error_is_raised_on_request(failure: Any) -> None:
    with pytest.raises(ImdsError):
        detect(failure, raise_on_error=True)


def test_an_interrupt_is_raised() -> None:
    def interrupt(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        detect(interrupt)


def test_nothing_is_sent_if_imds_is_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_IMDS_DISABLED", "1")
    assert dict(AzureImdsResourceDetector().detect().attributes) == {}
    with pytest.raises(ImdsUnavailableError, match="AZURE_IMDS_DISABLED"):
        AzureImdsResourceDetector(raise_on_error=True).detect()


def test_nothing_is_sent_on_a_host_without_instance_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    with pytest.raises(ImdsUnavailableError, match="App Service") as caught:
        AzureImdsResourceDetector(raise_on_error=True).detect()
    assert caught.value.attempts == 0


def test_a_malformed_environment_is_no_failure_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "not a URL")
    assert dict(AzureImdsResourceDetector().detect().attributes) == {}


def test_detection_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Seen(ImdsClient):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            seen.append(options)
            super().__init__("http://127.0.0.1:9", **options)

    module = sys.modules[AzureImdsResourceDetector.__module__]
    monkeypatch.setattr(module, "ImdsClient", Seen)
    assert dict(AzureImdsResourceDetector().detect().attributes) == {}
    AzureImdsResourceDetector(deadline=0.5).detect()
    assert [options["deadline"] for options in seen] == [1.0, 0.5]


def test_a_machine_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as (host, port):
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://{host}:{port}")
        with pytest.raises(ImdsTimeoutError) as caught:
            AzureImdsResourceDetector(raise_on_error=True, deadline=0.1).detect()
    assert caught.value.attempts == 1


@pytest.mark.parametrize("deadline", [0, -1, "1", None, True, float("inf"), float("nan")])
def test_a_wrong_deadline(deadline: Any) -> None:
    with pytest.raises(ImdsValidationError, match="AzureImdsResourceDetector: deadline must be"):
        AzureImdsResourceDetector(deadline=deadline)


def test_a_wrong_client() -> None:
    with pytest.raises(ImdsValidationError, match="client must be an ImdsClient, not str"):
        AzureImdsResourceDetector(client="x")  # type: ignore[arg-type]


def test_the_sdk_finds_the_detector_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "azure_imds")
    monkeypatch.setattr(AzureImdsResourceDetector, "detect", lambda self: Resource({"host.id": "found"}))
    assert Resource.create().attributes["host.id"] == "found"


def test_without_the_name_the_sdk_does_not_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def detect(self: AzureImdsResourceDetector) -> Resource:
        raise AssertionError

    monkeypatch.setattr(AzureImdsResourceDetector, "detect", detect)
    assert "cloud.provider" not in Resource.create().attributes


def test_the_resource_merges_with_that_of_the_sdk() -> None:
    with ImdsClient(transport=Script(answer(200, example("instance")))) as client:
        merged = Resource.create({"service.name": "app"}).merge(AzureImdsResourceDetector(client=client).detect())
    assert merged.attributes["service.name"] == "app"
    assert merged.attributes["cloud.provider"] == "azure"


def test_the_tracer_has_a_name_and_a_version(telemetry: Telemetry, colour: Colour) -> None:
    import azure_imds

    scope = run(telemetry, colour, ok()).instrumentation_scope
    assert (scope.name, scope.version) == ("azure_imds", azure_imds.__version__)
    assert trace.get_current_span() is trace.INVALID_SPAN
