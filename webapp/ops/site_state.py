"""What the site as a whole is like, asked when a monitor asks us: documents, jobs, queues, indexes, disk, processes.

Every web process tells the same of these; a query takes their maximum. What cannot be asked just now is left out, so
that a database that is down does not take the other figures with it.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from qa import index_figures
from webapp.ops import health, processes, queues
from webapp.ops.quick_redis import quick_redis

log = logging.getLogger(__name__)


class SiteState(Collector):
    def collect(self) -> Iterator[Metric]:
        for part in (_documents, _graph, _jobs, _queues, _processes, _index, _disk, _parts):
            yield from _told(part)

    def describe(self) -> list[Metric]:
        return []  # names are told when there is something to ask


def _told(part: Callable[[], list[Metric]]) -> list[Metric]:
    try:
        return part()
    except (DatabaseError, RedisError, OSError) as error:
        log.warning("figures for a monitor are missing (%s)", error)
        return []


def _documents() -> list[Metric]:
    from webapp.knowledge.models import Document, DocumentStatus

    documents = GaugeMetricFamily("wenda_documents", "documents by state", labels=["status"])
    for row in Document.objects.order_by().values("status").annotate(n=Count("pk")):
        documents.add_metric([row["status"]], row["n"])
    ready = Document.objects.filter(status=DocumentStatus.READY)
    passages = ready.aggregate(n=Sum("passages_total"))["n"] or 0
    return [documents, GaugeMetricFamily("wenda_index_passages", "passages that can be searched", passages)]


def _graph() -> list[Metric]:
    from webapp.graph.models import GraphSource, GraphStatus

    files = GaugeMetricFamily("wenda_graph_files", "files of the knowledge graph by state", labels=["status"])
    for row in GraphSource.objects.order_by().values("status").annotate(n=Count("pk")):
        files.add_metric([row["status"]], row["n"])
    stated = GraphSource.objects.filter(status=GraphStatus.READY).aggregate(n=Sum("triples"))["n"] or 0
    return [files, GaugeMetricFamily("wenda_graph_statements", "statements in the knowledge graph", stated)]


def _jobs() -> list[Metric]:
    from webapp.training.models import WAITING, Job

    jobs = GaugeMetricFamily("wenda_jobs", "trainings and evaluations by state", labels=["status"])
    for row in Job.objects.order_by().values("status").annotate(n=Count("pk")):
        jobs.add_metric([row["status"]], row["n"])
    oldest = Job.objects.filter(status__in=WAITING).aggregate(at=Min("queued_at"))["at"]
    waits = (timezone.now() - oldest).total_seconds() if oldest else 0
    return [jobs, GaugeMetricFamily("wenda_jobs_oldest_waiting_seconds", "how long the first job has waited", waits)]


def _queues() -> list[Metric]:
    waiting = GaugeMetricFamily("wenda_queue_messages", "tasks that wait for a worker", labels=["queue"])
    with quick_redis(settings.REDIS_URL) as redis:
        for name, count in queues.depths(redis).items():
            waiting.add_metric([name], count)
    return [waiting]


def _processes() -> list[Metric]:
    memory = GaugeMetricFamily("wenda_process_memory_bytes", "resident memory of a process of the site",
                               labels=["part", "process"])
    done = CounterMetricFamily("wenda_worker_tasks", "tasks that a worker has ended",
                               labels=["worker", "task", "outcome"])
    seconds = CounterMetricFamily("wenda_worker_task_seconds", "time that a worker spent on tasks",
                                  labels=["worker", "task"])
    busy = GaugeMetricFamily("wenda_worker_busy", "1 while a worker is at a task", labels=["part", "worker"])
    with quick_redis(settings.REDIS_URL) as redis:
        for process in processes.living(redis):
            memory.add_metric([process.part, process.name], process.memory_bytes)
            if process.part != "web":
                busy.add_metric([process.part, process.name], int(bool(process.task)))
            for task, count in process.tasks.items():
                done.add_metric([process.name, task, "done"], count.done)
                done.add_metric([process.name, task, "failed"], count.failed)
                seconds.add_metric([process.name, task], count.seconds)
    return [memory, done, seconds, busy]


def _index() -> list[Metric]:
    from webapp.knowledge import mending

    figures = index_figures.on_disk(settings.DATA_DIR / "indexes")
    told = [
        GaugeMetricFamily("wenda_index_collections", "collections that have a search index", figures.indexes),
        GaugeMetricFamily("wenda_index_collections_without_vectors",
                          "collections searched by words alone until they are mended", len(mending.lacking())),
        GaugeMetricFamily("wenda_index_segments", "segment files of all search indexes", figures.segments),
        GaugeMetricFamily("wenda_index_bytes", "what all search indexes take on disk", figures.bytes),
    ]
    if figures.published_at is not None:
        told.append(GaugeMetricFamily("wenda_index_published_timestamp_seconds",
                                      "when segments were last published or merged", figures.published_at))
    return told


def _disk() -> list[Metric]:
    disk = shutil.disk_usage(settings.DATA_DIR)
    return [GaugeMetricFamily("wenda_disk_free_bytes", "free where the data folder is", disk.free),
            GaugeMetricFamily("wenda_disk_bytes", "size of the disk where the data folder is", disk.total)]


def _parts() -> list[Metric]:
    up = GaugeMetricFamily("wenda_part_up", "1 when a part of the site answers", labels=["part"])
    for standing in health.standings():
        up.add_metric([standing.name], int(standing.ok))
    return [up]
