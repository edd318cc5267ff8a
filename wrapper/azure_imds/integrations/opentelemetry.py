"""OpenTelemetry: spans and metrics of calls, and a resource that describes the machine.

Names follow OpenTelemetry's semantic conventions. Those that are this package's own begin with `azure_imds.`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from opentelemetry import context, metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource, ResourceDetector
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

from azure_imds_api.models.compute import Compute

from .._client.availability import problem_of_document
from .._client.client import ImdsClient
from .._client.observation import ObservedCall
from .._client.retry import RetryPolicy
from .._client.validation import invalid
from .._interruptions import is_interruption
from .._log import error_fields, log
from .._version import __version__
from ..errors import ImdsStatusError

_NAME = "azure_imds"
_DETECTOR = "AzureImdsResourceDetector"

#: Seconds. OpenTelemetry's conventions recommend these boundaries for `http.client.request.duration`.
_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: Seconds of a token's life: from a minute to a day.
_LIVES = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 64800, 86400)

#: Exporters set this in the context while they send, so that telemetry does not cause telemetry.
_SUPPRESSED: str = getattr(context, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")

Attributes = dict[str, str | int]


def observer(
    tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> Callable[[ObservedCall], None]:
    """Returns an observer that records a span and metrics of each call.

        ImdsCredential(observer=observer())

    Args:
        tracer_provider: where spans go. None: the provider of the process, also if it is set later.
        meter_provider: where metrics go. None: the provider of the process, also if it is set later.

    Returns:
        A function for `observer=` of a client or a credential. It can be pickled if it uses the process's providers.
    """
    return _Observer(tracer_provider, meter_provider)


class _Observer:
    def __init__(self, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None) -> None:
        self._has_providers = tracer_provider is not None or meter_provider is not None
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._durations = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of calls that have sent requests, with retries and waits.",
            explicit_bucket_boundaries_advisory=_DURATIONS,
        )
        self._hits = meter.create_counter("azure_imds.cache.hits", "{call}", "Calls that were answered from a cache.")
        self._waits = meter.create_counter("azure_imds.waits", "{call}", "Calls that waited for another one.")
        self._retries = meter.create_counter("azure_imds.retries", "{request}", "Requests after the first of a call.")
        self._refreshes = meter.create_counter("azure_imds.token.refreshes", "{request}", "Requests for a new token.")
        self._ages = meter.create_histogram(
            "azure_imds.token.age",
            "s",
            "Time since the token of a call was requested from the host.",
            explicit_bucket_boundaries_advisory=_LIVES,
        )
        self._lives = meter.create_histogram(
            "azure_imds.token.remaining_life",
            "s",
            "Time until the token of a call expires.",
            explicit_bucket_boundaries_advisory=_LIVES,
        )

    def __call__(self, call: ObservedCall) -> None:
        if context.get_value(_SUPPRESSED):
            return
        if not call.cached:
            self._record_span(call)
        self._record_metrics(call)

    def _record_span(self, call: ObservedCall) -> None:
        attributes = {**_own_attributes(call), **_http_attributes(call)}
        if call.attempts:
            attributes["url.full"] = call.url
        if call.attempts > 1:
            attributes["http.request.resend_count"] = call.attempts - 1
        if call.request_id:
            attributes["azure.service.request.id"] = call.request_id
        # What happens in the background belongs to no operation of the program.
        parent = context.Context() if call.refresh == "background" else None
        span = self._tracer.start_span(
            f"{call.method} {call.operation}" if call.attempts else call.operation,
            parent,
            SpanKind.CLIENT if call.attempts else SpanKind.INTERNAL,
            attributes,
            start_time=_nanoseconds(call.started),
        )
        if call.error_type:
            span.set_status(Status(StatusCode.ERROR, str(call.error or call.error_type)))
        span.end(_nanoseconds(call.started + call.elapsed))

    def _record_metrics(self, call: ObservedCall) -> None:
        own = _own_attributes(call)
        if call.attempts:
            self._durations.record(call.elapsed, {**_http_attributes(call), "azure_imds.operation": call.operation})
        if call.attempts > 1:
            self._retries.add(call.attempts - 1, own)
        if call.cached:
            self._hits.add(1, own)
        if call.waited_for:
            self._waits.add(1, own)
        if call.refresh and call.attempts:
            self._refreshes.add(1, {**own, **_error_attribute(call)})
        if call.token_age is not None and call.token_expires_on is not None:
            self._ages.record(call.token_age, own)
            self._lives.record(max(0.0, call.token_expires_on - call.started - call.elapsed), own)

    def __reduce__(self) -> Any:
        if self._has_providers:
            raise TypeError("an observer with providers of its own cannot be pickled: use observer() without arguments")
        return observer, ()


def _own_attributes(call: ObservedCall) -> Attributes:
    attributes: Attributes = {"azure_imds.operation": call.operation, "azure_imds.host": call.host}
    if call.refresh:
        attributes["azure_imds.refresh"] = call.refresh
    if call.waited_for:
        attributes["azure_imds.waited_for"] = call.waited_for
    return attributes


def _http_attributes(call: ObservedCall) -> Attributes:
    """The attributes that the conventions require of spans and of `http.client.request.duration`."""
    attributes = _error_attribute(call)
    if call.attempts:
        url = urlsplit(call.url)
        attributes["http.request.method"] = call.method
        attributes["url.scheme"] = url.scheme
        attributes["server.address"] = url.hostname or ""
        attributes["server.port"] = url.port or (443 if url.scheme == "https" else 80)
        if call.status is not None:
            attributes["http.response.status_code"] = call.status
    return attributes


def _error_attribute(call: ObservedCall) -> Attributes:
    """`error.type`: the status if it is the reason of the failure, otherwise the class of the exception."""
    if call.error_type is None:
        return {}
    return {"error.type": str(call.error.status_code) if isinstance(call.error, ImdsStatusError) else call.error_type}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


class AzureImdsResourceDetector(ResourceDetector):  # type: ignore[misc, unused-ignore]
    """Describes the machine by its instance metadata: `cloud.*`, `host.*`, `os.type` and `azure.*`.

        Resource.create().merge(AzureImdsResourceDetector().detect())

    Or set `OTEL_EXPERIMENTAL_RESOURCE_DETECTORS=azure_imds`. On Azure Arc, there is no `cloud.platform`.

    Nothing is sent if IMDS is disabled, or on a host without instance metadata. Then, and after any failure, the
    resource is empty.

    Args:
        raise_on_error: whether `detect` raises the error instead.
        deadline: seconds that `detect` may take.
        client: a client to use instead. It has its own deadline, and you close it.

    Raises:
        ImdsValidationError: `deadline` is not a positive number, or `client` is not an ImdsClient.
    """

    def __init__(
        self, raise_on_error: bool = False, *, deadline: float = 1.0, client: ImdsClient | None = None
    ) -> None:
        super().__init__(raise_on_error)
        if isinstance(deadline, bool) or not isinstance(deadline, (int, float)) or not 0 < deadline < float("inf"):
            raise invalid("deadline", "must be a positive number of seconds, for example 2.5", _DETECTOR)
        if client is not None and not isinstance(client, ImdsClient):
            raise invalid("client", f"must be an ImdsClient, not {type(client).__name__}", _DETECTOR)
        self._deadline = deadline
        self._client = client

    def detect(self) -> Resource:
        """Returns the resource. It is empty if the machine has no instance metadata."""
        try:
            if self._client is not None:
                return Resource(_describe(self._client))
            # A machine without IMDS should start without delay: only what IMDS itself answers is tried again.
            retry = RetryPolicy(retry=lambda error, attempt: None if isinstance(error, ImdsStatusError) else False)
            with ImdsClient(deadline=self._deadline, retry=retry) as client:
                return Resource(_describe(client))
        except Exception as error:
            if self.raise_on_error or is_interruption(error):
                raise
            log.info("%s: nothing is detected: %s", _DETECTOR, error, extra=error_fields(error))
            return Resource({})


def _describe(client: ImdsClient) -> dict[str, str]:
    document = client.instances.get_metadata()
    if problem := problem_of_document(document):
        raise problem
    found: dict[str, Any] = {"cloud.provider": "azure"}
    if client.host == "azure":
        found["cloud.platform"] = "azure.vm"
    if compute := document.compute:
        found |= _describe_compute(compute)
    # Text that a document lacks is "".
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def _describe_compute(compute: Compute) -> dict[str, Any]:
    names = (compute.publisher, compute.offer, compute.sku)
    return {
        "cloud.account.id": compute.subscription_id,
        "cloud.availability_zone": compute.zone,
        "cloud.region": compute.location,
        "cloud.resource_id": compute.resource_id,
        "host.id": compute.vm_id,
        "host.image.id": compute.storage_profile.image_reference.id,
        "host.image.name": ":".join(names) if all(name and isinstance(name, str) for name in names) else None,
        "host.image.version": compute.version,
        "host.name": compute.name,
        "host.type": compute.vm_size,
        "os.type": compute.os_type.lower() if isinstance(compute.os_type, str) else None,
        "azure.resource_group.name": compute.resource_group_name,
        "azure.vm.scaleset.name": compute.vm_scale_set_name,
        "azure.vm.sku": compute.sku,
    }
