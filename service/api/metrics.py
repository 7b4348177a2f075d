"""What the service counts about itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 60.0)


class Metrics:
    """The figures of one service.

    Stages are `decode`, `wait`, `assess`, and in it `encode` and `align`; the rest of it is
    retrieval, grades, prosody and remarks. Recordings that are encoded together count once.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        histogram = partial(Histogram, registry=self._registry)
        self.requests = counter(
            "nativeear_requests", "Requests that were answered.", ("method", "route", "status")
        )
        self.request_s = histogram(
            "nativeear_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ("route",),
            buckets=_BUCKETS_S,
        )
        self.stage_s = histogram(
            "nativeear_stage_seconds",
            "Time of one stage of an assessment.",
            ("stage",),
            buckets=_BUCKETS_S,
        )
        self.batch = histogram(
            "nativeear_batch_recordings",
            "Recordings that went through the encoder together.",
            buckets=(1, 2, 4, 8, 16),
        )
        self.audio_s = counter("nativeear_audio_seconds", "Seconds of speech that were assessed.")
        self.waiting = gauge("nativeear_queue_waiting", "Assessments that wait.")
        self.running = gauge("nativeear_in_flight", "Assessments that are worked on.")
        self.streams = gauge("nativeear_streams", "Open streams.")
        self.held = gauge(
            "nativeear_held_bytes", "Bytes of recordings that uploads and streams hold."
        )
        self.closed = counter(
            "nativeear_connections_closed",
            "Connections that were closed because there were too many, they came too fast, or "
            "their client was too slow.",
            ("why",),
        )
        self.reloads = counter(
            "nativeear_index_reloads",
            "Versions of an index that were taken into service.",
            ("index",),
        )
        self.index_exemplars = gauge(
            "nativeear_index_exemplars", "Exemplars of a loaded index.", ("index",)
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside as a stage."""
        started = perf_counter()
        try:
            yield
        finally:
            self.stage_s.labels(name).observe(perf_counter() - started)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)
