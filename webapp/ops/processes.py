"""The processes that the site consists of now, wherever they run: each writes a row of its own in Redis."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import psutil
from redis import Redis

KEY = "wenda:ops:processes"
LASTS_SECONDS = 30
"""A process that has not written for this long is gone."""


@dataclass
class TaskCount:
    """Of one kind of task, since the process began."""

    done: int = 0
    failed: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Process:
    """`at` and `started_at` in seconds since 1970; `part` is web, worker or trainer."""

    part: str
    host: str
    pid: int
    at: float
    started_at: float
    memory_bytes: int
    sockets: int = 0
    task: str = ""
    """That it is at, of a worker."""
    tasks: dict[str, TaskCount] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.host}:{self.pid}"


class Own:
    """What this process tells of itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskCount] = {}
        self.task = ""
        self.sockets = 0

    def began(self, task: str) -> None:
        self.task = task

    def ended(self, task: str, *, failed: bool, seconds: float) -> None:
        with self._lock:
            count = self._tasks.setdefault(task, TaskCount())
            count.done, count.failed = count.done + (not failed), count.failed + failed
            count.seconds += seconds
            self.task = ""

    def told(self, part: str) -> Process:
        process = psutil.Process()
        with self._lock:
            tasks = {name: TaskCount(**asdict(count)) for name, count in self._tasks.items()}
        return Process(part, socket.gethostname(), os.getpid(), time.time(), process.create_time(),
                       process.memory_info().rss, self.sockets, self.task, tasks)


own = Own()


def flush(redis: Redis, part: str) -> None:
    """Write how this process stands; raises RedisError or OSError."""
    told = own.told(part)
    redis.hset(KEY, told.name, json.dumps(asdict(told)))


def sign_off(redis: Redis) -> None:
    """This process is about to end."""
    redis.hdel(KEY, f"{socket.gethostname()}:{os.getpid()}")


def living(redis: Redis) -> Sequence[Process]:
    """Those that have written lately, by part and name; rows of the others are removed."""
    found, gone = [], []
    for name, value in redis.hgetall(KEY).items():
        values = json.loads(value)
        values["tasks"] = {task: TaskCount(**count) for task, count in values["tasks"].items()}
        process = Process(**values)
        if process.at >= time.time() - LASTS_SECONDS:
            found.append(process)
        else:
            gone.append(name)
    if gone:
        redis.hdel(KEY, *gone)
    order = {"web": 0, "worker": 1, "trainer": 2}
    return sorted(found, key=lambda process: (order.get(process.part, 3), process.name))
