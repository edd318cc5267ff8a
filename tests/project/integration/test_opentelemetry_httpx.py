"""The observer of OpenTelemetry together with OpenTelemetry's own instrumentation of httpx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from integration import parts
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from azure_imds import RetryPolicy
from azure_imds.integrations.opentelemetry import observer
from support import Colour, Wire, get_token, raw_server, reply, token

pytestmark = pytest.mark.integration
instrumentation: Any = parts.module("opentelemetry.instrumentation.httpx")

ANSWERS = (reply(503, b'{"error": "x"}', "Server: IMDS/1"), reply(200, json.dumps(token()).encode(), "Server: IMDS/1"))
AT_ONCE = RetryPolicy(first_wait=0, polite_wait=0, longest_wait=0)


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    provider = TracerProvider()
    instrumentor = instrumentation.HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield provider
    instrumentor.uninstrument()
    provider.shutdown()


def trace_call(provider: TracerProvider, colour: Colour, **options: Any) -> dict[str, list[ReadableSpan]]:
    """Gets a token at the second attempt, in a span `program`. Returns all finished spans by scope."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with raw_server(Wire(*ANSWERS)) as endpoint, provider.get_tracer("program").start_as_current_span("program"):
        colour.run(get_token, endpoint=endpoint, retry=AT_ONCE, observer=observer(provider), **options)
    found: dict[str, list[ReadableSpan]] = {}
    for span in exporter.get_finished_spans():
        assert span.instrumentation_scope
        found.setdefault(span.instrumentation_scope.name.rpartition(".")[2], []).append(span)
    return found


def test_connections_of_this_package_have_one_span(provider: TracerProvider, colour: Colour) -> None:
    spans = trace_call(provider, colour)
    assert {scope: len(found) for scope, found in spans.items()} == {"azure_imds": 1, "program": 1}


def test_a_client_of_the_caller_has_a_span_for_each_request_too(provider: TracerProvider, colour: Colour) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)  # no connection is left open
    http = httpx.Client(limits=limits) if colour.name == "sync" else httpx.AsyncClient(limits=limits)
    spans = trace_call(provider, colour, http_client=http)
    assert {scope: len(found) for scope, found in spans.items()} == {"azure_imds": 1, "httpx": 2, "program": 1}
    (program,), (call,) = spans["program"], spans["azure_imds"]
    assert {span.parent.span_id for span in (call, *spans["httpx"]) if span.parent} == {program.context.span_id}
    assert call.attributes
    assert call.attributes["http.request.resend_count"] == 1


def test_the_instrumentation_can_leave_out_imds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/guides/opentelemetry.md describes."""
    monkeypatch.setenv("OTEL_PYTHON_HTTPX_EXCLUDED_URLS", "/metadata/")
    provider = TracerProvider()
    instrumentor = instrumentation.HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        http = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))
        spans = trace_call(provider, Colour("sync"), http_client=http)
    finally:
        instrumentor.uninstrument()
    assert {scope: len(found) for scope, found in spans.items()} == {"azure_imds": 1, "program": 1}
