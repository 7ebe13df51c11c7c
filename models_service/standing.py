"""How this model service stands, for the site's page about its parts: /standing, as JSON."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import psutil

from models_service import metrics, recent
from models_service.service import Service


def standing(service: Service) -> dict[str, Any]:
    """States of the models, what waits for each, times of the last hour, memory, graphics cards, errors."""
    process = psutil.Process()
    waiting, writing = _by_model(metrics.WAITING), _by_model(metrics.WRITING)
    versions = service.versions()
    models = [
        {"name": name, "state": state, "version": versions.get(name, ""), "waiting": int(waiting.get(name, 0)),
         "writing": int(writing.get(name, 0))}
        for name, state in sorted(service.states().items())
    ]
    return {
        "ready": service.ready(), "host": socket.gethostname(), "pid": os.getpid(),
        "started_at": process.create_time(), "memory_bytes": process.memory_info().rss, "models": models,
        "requests": recent.requests.by_type(), "cards": cards(), "errors": recent.errors.newest_first(),
    }


def cards() -> list[dict[str, Any]]:
    """The graphics cards that torch computes on here, with bytes used and in all; none where it uses none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    found = []
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        found.append({"name": torch.cuda.get_device_name(number), "number": number, "used_bytes": total - free,
                      "total_bytes": total, "held_bytes": torch.cuda.memory_reserved(number)})
    return found


def _by_model(gauge: Any) -> dict[str, float]:
    return {sample.labels["model"]: sample.value for metric in gauge.collect() for sample in metric.samples}
