"""Each model service's own account of itself, asked over HTTP, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import urlopen

from django.conf import settings

from webapp.masking import masked
from webapp.ops.health import OK, http_address
from webapp.ops.recent_errors import Fault
from webapp.ops.snapshot_parts import CardTold, ModelRequestsTold, ModelTold, ServiceTold, Spread

SECONDS = 2


def told() -> tuple[list[ServiceTold], list[Fault]]:
    """The services, and what went wrong in them lately."""
    urls: Sequence[str] = settings.MODELS_SERVICE_URLS
    if not urls:
        return [], []
    with ThreadPoolExecutor(len(urls)) as pool:
        accounts = list(pool.map(_ask, urls))
    services = [_service(url, account) for url, account in zip(urls, accounts, strict=True)]
    errors = [error for account in accounts if isinstance(account, dict) for error in account["errors"]]
    faults = [Fault(part="models", **{**error, "message": masked(error["message"])}) for error in errors]
    return services, faults


def _ask(url: str) -> dict[str, Any] | str:
    """Its account, or why there is none."""
    try:
        with urlopen(http_address(url, "standing"), timeout=SECONDS) as response:
            return json.load(response)
    except (OSError, ValueError) as error:
        return str(error)


def _service(url: str, account: dict[str, Any] | str) -> ServiceTold:
    if isinstance(account, str):
        return ServiceTold(address=url, ok=False, why=account)
    requests = [
        ModelRequestsTold(
            type=kind, count=one["count"], failed=one["failed"],
            total=Spread(p50_ms=one["p50_ms"], p95_ms=one["p95_ms"]),
            queue=Spread(p50_ms=one["queue_p50_ms"], p95_ms=one["queue_p95_ms"]),
        ) for kind, one in account["requests"].items()
    ]
    return ServiceTold(
        address=url, ok=account["ready"], why=OK if account["ready"] else "it is loading its models",
        memory_bytes=account["memory_bytes"], started_at=account["started_at"],
        models=[ModelTold(**model) for model in account["models"]], requests=requests,
        cards=[CardTold(**{name: card[name] for name in CardTold.model_fields}) for card in account["cards"]],
    )
