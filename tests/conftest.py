"""What tests of every room share: a data folder of their own, people, and a real Redis."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

pytest_plugins = [
    "tests.clients", "tests.model_service", "tests.models_service.tiny_generator", "tests.openai_server",
    "tests.running_site", "tests.small_generator",
]
# A busy machine is no reason to fail. CI tries the same examples each time; new ones are looked for at home.
hypothesis_settings.register_profile(
    "wenda", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
hypothesis_settings.load_profile("wenda")

PASSWORD = "correct horse battery"
SLOW_SECONDS = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole site run once more where they failed, which the closing line says.

    On a busy machine a browser or one of the site's processes may be starved for longer than any patience; what is
    wrong fails twice. Slow tests have an hour before they count as hanging.
    """
    for item in items:
        if item.path.parent.name in ("browser", "e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named by their parameter: packed ones hold the time, and each process must name a test alike."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path: Path) -> Path:
    """The site's data folder, empty and gone after the test."""
    settings.DATA_DIR = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes its time
    settings.REDIS_URL = f"unix://{tmp_path / 'no-redis.sock'}"
    _point_queue(settings.REDIS_URL)  # never to a site that happens to run on this machine
    return tmp_path


def _point_queue(redis_url: str) -> None:
    """Celery sends to this Redis from now on."""
    from webapp.celery import app
    from webapp.settings.queues import broker_url

    app.conf.broker_url = broker_url(redis_url)
    app._pool = app.amqp._producer_pool = None


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this test run; its address."""
    from webapp.ops.embedded_redis import running_redis

    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_process: str, settings) -> str:
    """The site uses the test run's Redis, emptied, for its events and its channel layer."""
    from redis import Redis

    with Redis.from_url(redis_process) as redis:
        redis.flushall()
    settings.REDIS_URL = redis_process
    _point_queue(redis_process)
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [redis_process]}},
    }
    return redis_process


def _person(name: str, role: str):
    from webapp.accounts.models import User

    return User.objects.create_user(username=name, password=PASSWORD, role=role)


@pytest.fixture
def alice(db):
    """An ordinary user."""
    return _person("alice", "user")


@pytest.fixture
def bob(db):
    """Another ordinary user, who may not see what is alice's."""
    return _person("bob", "user")


@pytest.fixture
def admin(db):
    return _person("ada", "admin")


@pytest.fixture
def guest(db):
    return _person("guest-1", "guest")
