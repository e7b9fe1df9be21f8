"""Traces and metrics for OpenTelemetry: one span an attempt, and the tokens, seconds and dollars of all. Never content.

The names are those of the GenAI semantic conventions as they stood in November 2026 (client inference, in development),
and `offtake.…` for what these have no name for; no other module writes one. The SDK's own threads deliver. A collector
that is gone loses its data: no request waits for it or fails with it.
"""

from __future__ import annotations

import logging
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from offtake.gateway.ask import Quantities, Served
from offtake.gateway.log import say, say_crash
from offtake.gateway.settle import Costs
from offtake.operations.serve_config import TelemetrySettings
from offtake.usage.meters import METERS
from offtake.values.errors import OutsideError

if TYPE_CHECKING:
    from offtake.gateway.attempt import Attempt

OPERATIONS = {"openai_chat": "chat", "openai_responses": "chat", "anthropic_messages": "chat",
              "openai_embeddings": "embeddings"}  # fmt: skip
"""By dialect; what is in none of them is no inference."""
PROVIDERS = {"google": "gcp.gemini", "x-ai": "x_ai", "mistral": "mistral_ai", "moonshotai": "moonshot_ai"}
"""The conventions' names of vendors, where they are not ours."""
HOSTS = {"bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai", "azure": "azure.ai.openai"}
"""The conventions' names of forms of access that are providers of their own."""
OPERATION, PROVIDER, MODALITY = "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.token.modality"
REQUEST_MODEL, RESPONSE_MODEL, ERROR = "gen_ai.request.model", "gen_ai.response.model", "error.type"
REQUEST_STREAM, REQUEST_MAX_TOKENS = "gen_ai.request.stream", "gen_ai.request.max_tokens"
RESPONSE_ID, FINISH_REASONS = "gen_ai.response.id", "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
USAGE = "gen_ai.usage."
INPUT, OUTPUT, READ, WRITTEN, REASONING = (
    "input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens", "reasoning.output_tokens",
)  # fmt: skip
CLIENT = "gen_ai.client.inference."
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
OURS = "offtake."
DELIVERY_SECONDS, SAID_SECONDS = 3, 60


class _Said(logging.Handler):
    """What the SDK complains of, as one line a minute without its words, which may hold what it could not send."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._last = -SAID_SECONDS

    def emit(self, record: logging.LogRecord) -> None:
        now = int(time.monotonic())
        if now - self._last >= SAID_SECONDS:
            self._last = now
            say("telemetry is not delivered", where=record.name)


def require_sdk() -> None:
    """OutsideError (G708) where the SDK is not installed."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter.otlp.proto.http") is None:
        hint = 'pip install "offtake[otel]"'
        raise OutsideError("G708", "[telemetry] asks for OpenTelemetry, which is not installed", hint=hint)


class Telemetry:
    """One worker's. Made in the process that uses it, because it has threads."""

    def __init__(self, settings: TelemetrySettings, worker: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        log = logging.getLogger("opentelemetry")
        log.handlers, log.propagate = [_Said()], False
        base = settings.otlp.rstrip("/")
        resource = Resource({"service.name": "offtake", "service.instance.id": worker})
        every = settings.seconds * 1_000
        spans = OTLPSpanExporter(f"{base}/v1/traces", timeout=DELIVERY_SECONDS)
        metrics = OTLPMetricExporter(f"{base}/v1/metrics", timeout=DELIVERY_SECONDS)
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(spans, schedule_delay_millis=every))
        reader = PeriodicExportingMetricReader(metrics, every, DELIVERY_SECONDS * 1_000)
        self._metrics = MeterProvider([reader], resource, shutdown_on_exit=False)
        self._tracer = self._traces.get_tracer("offtake.gateway")
        self._kind = SpanKind.CLIENT
        self._context = TraceContextTextMapPropagator()
        meter = self._metrics.get_meter("offtake.gateway")
        self._counters = {name: meter.create_counter(f"{CLIENT}usage.{name}", "{token}") for name in
                          (INPUT, OUTPUT, READ, WRITTEN, REASONING)}  # fmt: skip
        self._duration = meter.create_histogram(
            f"{CLIENT}duration", "s", explicit_bucket_boundaries_advisory=SECONDS
        )  # fmt: skip
        self._first = meter.create_histogram(
            f"{CLIENT}time_to_first_chunk", "s", explicit_bucket_boundaries_advisory=SECONDS
        )  # fmt: skip
        self._cost = meter.create_counter(f"{OURS}cost", "{USD}")

    def settled(self, attempt: Attempt, costs: Costs, served: Served) -> None:
        """An attempt has ended. Nothing that goes wrong here is the request's."""
        operation = OPERATIONS.get(attempt.prepared.ask.dialect)
        if operation is None:
            return
        try:
            self._settled(attempt, costs, served, operation)
        except Exception as error:  # noqa: BLE001 - see above
            say_crash("telemetry failed", error, request_id=attempt.id)

    def close(self) -> None:
        """Deliver what is left, as far as anybody takes it."""
        self._traces.shutdown()
        self._metrics.shutdown(DELIVERY_SECONDS * 1_000)

    def _settled(self, attempt: Attempt, costs: Costs, served: Served, operation: str) -> None:
        outlet, ask = attempt.outlet, attempt.prepared.ask
        now = time.monotonic_ns()
        shared: dict[str, Any] = {
            OPERATION: operation, PROVIDER: HOSTS.get(outlet.access) or PROVIDERS.get(outlet.vendor, outlet.vendor),
            REQUEST_MODEL: attempt.model,
        }  # fmt: skip
        if served.model:
            shared[RESPONSE_MODEL] = served.model
        failed = {ERROR: costs.outcome} if costs.outcome not in ("", "ok") else {}
        tokens = _tokens(costs.quantities) if costs.usage_known else {}
        details = {REQUEST_STREAM: ask.stream, f"{OURS}request.id": attempt.id, f"{OURS}contract": outlet.contract,
                   f"{OURS}cost_pico": costs.total_pico, f"{OURS}key.id": attempt.caller.key.id,
                   f"{OURS}workload": attempt.caller.key.workload}  # fmt: skip
        if ask.output_tokens_max is not None:
            details[REQUEST_MAX_TOKENS] = ask.output_tokens_max
        if served.vendor_request_id:
            details[RESPONSE_ID] = served.vendor_request_id
        if served.finish:
            details[FINISH_REASONS] = [served.finish]
        first = (attempt.first_ns - attempt.sent_ns) / 1e9 if attempt.first_ns and ask.stream else None
        if first is not None:
            details[FIRST_CHUNK] = first
            self._first.record(first, shared)
        details |= {USAGE + name: count for name, count in tokens.items()}
        parent = self._context.extract({"traceparent": attempt.traceparent}) if attempt.traceparent else None
        started = attempt.at * 1_000
        span = self._tracer.start_span(
            f"{operation} {attempt.model}", parent, self._kind, shared | details | failed, start_time=started
        )
        if failed:
            from opentelemetry.trace import StatusCode

            span.set_status(StatusCode.ERROR)
        span.end(started + now - attempt.sent_ns)
        self._duration.record((now - attempt.sent_ns) / 1e9, shared | failed)
        for name, count in tokens.items():
            self._counters[name].add(count, shared | {MODALITY: "unknown"})
        self._cost.add(costs.total_pico / 1e12, shared | {f"{OURS}contract": outlet.contract})


def _tokens(quantities: Quantities) -> dict[str, int]:
    """By the conventions' names; input and output hold what is cached and reasoned."""
    found = {INPUT: 0, OUTPUT: 0}
    for meter in METERS:
        count = quantities.get(meter.name, 0)
        if count and meter.is_token and not meter.inside:
            found[INPUT if meter.direction == "input" else OUTPUT] += count
            if meter.cache:
                part = READ if meter.cache == "read" else WRITTEN
                found[part] = found.get(part, 0) + count
    found[REASONING] = quantities.get("reasoning_tokens", 0)
    return {name: count for name, count in found.items() if count or name in (INPUT, OUTPUT)}
