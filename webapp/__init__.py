"""The Django site. Importing it loads the Celery application, which its tasks attach themselves to."""

from webapp.celery import app as celery_app

__all__ = ["celery_app"]
