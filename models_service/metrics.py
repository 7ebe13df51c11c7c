"""What the service counts for a monitor, served at /metrics."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

REQUESTS = Counter("wenda_models_requests_total", "requests answered", ["type", "outcome"])
SECONDS = Histogram(
    "wenda_models_request_seconds", "from a request's arrival to its answer", ["type"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
CONNECTIONS = Gauge("wenda_models_connections", "open WebSockets")
WAITING = Gauge("wenda_models_waiting_inputs", "texts and passages that are not computed yet", ["model"])
QUEUE_SECONDS = Histogram(
    "wenda_models_queue_seconds", "from a request's arrival to its first batch, or its slot", ["model"],
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
BATCH_SIZE = Histogram(
    "wenda_models_batch_pieces", "sequences in a batch", ["model"], buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
)
TOKENS_COMPUTED = Counter(
    "wenda_models_tokens_computed_total", "tokens read in batches; its rate is tokens a second", ["model"]
)
MEMORY_HELD = Gauge("wenda_models_memory_held_bytes", "what a model is reckoned to take, of the limit", ["model"])
MEMORY_LIMIT = Gauge("wenda_models_memory_limit_bytes", "what all models together may take")
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


class Cards(Collector):
    """Memory of the graphics cards that torch computes on, asked when a monitor asks; nothing without one."""

    def collect(self) -> Iterator[Metric]:
        used = GaugeMetricFamily("wenda_models_gpu_memory_used_bytes", "in use on a graphics card", labels=["gpu"])
        total = GaugeMetricFamily("wenda_models_gpu_memory_total_bytes", "that a graphics card has", labels=["gpu"])
        torch = sys.modules.get("torch")
        for number in range(torch.cuda.device_count() if torch and torch.cuda.is_available() else 0):
            free, whole = torch.cuda.mem_get_info(number)
            used.add_metric([str(number)], whole - free)
            total.add_metric([str(number)], whole)
        yield from (used, total)

    def describe(self) -> list[Metric]:
        return []


REGISTRY.register(Cards())
