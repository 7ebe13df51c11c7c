"""What the Ops page and /api/v1/ops/ tell, as typed records: how the site stands now and did in the last hour."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class PartTold(BaseModel):
    name: str
    ok: bool
    needed: bool = Field(description="false: without it the site still answers")
    why: str = Field(description='"ok", or what is wrong')


class QueueTold(BaseModel):
    name: str
    waiting: int


class Spread(BaseModel):
    """Milliseconds; null of nothing."""

    p50_ms: float | None = None
    p95_ms: float | None = None


class AnswersTold(BaseModel):
    """Of the last hour, or of the newest 2,000 where there were more."""

    outcomes: dict[str, int] = Field(description="answered, abstained, error, stopped")
    count: int
    per_minute: float
    total: Spread
    first_event: Spread
    queue: Spread = Field(description="what the model service let their requests wait")
    stages: dict[str, Spread]


class SlowQuestion(BaseModel):
    at: float = Field(description="seconds since 1970")
    outcome: str
    total_ms: float
    first_ms: float | None
    queue_ms: float
    stages: dict[str, float] = Field(description="milliseconds")
    request_id: str
    question: str | None = Field(description="null where the caller may not see it")


class RouteTold(BaseModel):
    route: str
    count: int
    failed: int = Field(description="answered with a status of 500 or more")
    p50_ms: float | None
    p95_ms: float | None


class RequestsTold(BaseModel):
    """HTTP requests of about the last hour; times are read from buckets, so about right."""

    count: int
    failed: int
    per_minute: float
    routes: list[RouteTold] = Field(description="those that took longest at p95 first")


class ModelTold(BaseModel):
    name: str
    state: str
    version: str = ""
    waiting: int = Field(0, description="texts and passages, or texts to be written, that wait")
    writing: int = 0


class ModelRequestsTold(BaseModel):
    type: str
    count: int
    failed: int
    total: Spread
    queue: Spread


class CardTold(BaseModel):
    name: str
    number: int
    used_bytes: int
    total_bytes: int


class ServiceTold(BaseModel):
    """One model service. Without an answer from it there is only `why`."""

    address: str
    ok: bool
    why: str
    memory_bytes: int = 0
    started_at: float | None = None
    models: list[ModelTold] = []
    requests: list[ModelRequestsTold] = []
    cards: list[CardTold] = []


class ProcessTold(BaseModel):
    part: str
    name: str = Field(description="its machine and process id")
    memory_bytes: int
    started_at: float
    sockets: int
    task: str = Field(description="that it is at, of a worker")
    tasks_done: int
    tasks_failed: int


class StorageTold(BaseModel):
    disk_free_bytes: int
    disk_bytes: int
    index_collections: int
    index_without_vectors: int = Field(description="collections searched by words alone until they are mended")
    index_segments: int
    index_bytes: int
    index_published_at: float | None
    documents: dict[str, int] = Field(description="by state")
    passages: int
    jobs: dict[str, int] = Field(description="trainings and evaluations by state")


class ErrorTold(BaseModel):
    """One row a place in the code: its newest line, and how often."""

    at: float
    level: str
    part: str
    where: str
    request_id: str
    message: str
    count: int


class Snapshot(BaseModel):
    """What cannot be asked just now is null; `parts` says why."""

    at: float
    parts: list[PartTold]
    queues: list[QueueTold] | None
    answers: AnswersTold | None
    slowest: list[SlowQuestion] | None
    requests: RequestsTold | None
    services: list[ServiceTold]
    processes: list[ProcessTold] | None
    storage: StorageTold | None
    errors: list[ErrorTold]

    def numbers(self) -> dict[str, Any]:
        """As JSON has it."""
        return self.model_dump(mode="json")
