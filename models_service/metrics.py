"""What the service counts for a monitor, served at /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("wenda_models_requests_total", "requests answered", ["type", "outcome"])
SECONDS = Histogram(
    "wenda_models_request_seconds", "from a request's arrival to its answer", ["type"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
CONNECTIONS = Gauge("wenda_models_connections", "open WebSockets")
WAITING = Gauge("wenda_models_waiting_inputs", "texts and passages that are not computed yet", ["model"])
BATCH_TOKENS = Histogram(
    "wenda_models_batch_tokens", "tokens in a batch", ["model"], buckets=(16, 64, 256, 1024, 2048, 4096, 16384, 65536)
)
BATCH_SECONDS = Histogram(
    "wenda_models_batch_seconds", "time to compute a batch", ["model"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
WRITING = Gauge("wenda_models_texts_in_the_making", "slots in use", ["model"])
FIRST_TOKEN_SECONDS = Histogram(
    "wenda_models_first_token_seconds", "from a request's arrival to its first text", ["model"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
TOKENS_WRITTEN = Counter("wenda_models_tokens_written_total", "tokens written, where they are counted", ["model"])
