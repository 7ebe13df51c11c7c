"""The Celery application: background jobs, queued in Redis and run by `celery -A webapp.celery worker`."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

app = Celery("wenda")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
