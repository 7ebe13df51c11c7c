"""Documents that a test can ask about, read in by the code that the worker runs."""

from __future__ import annotations

from typing import Any

TOWER = """The Eiffel Tower

The Eiffel Tower is a wrought-iron lattice tower on the Champ de Mars in Paris, France. It was built \
from 1887 to 1889 as the entrance arch of the World's Fair. The tower is 330 metres tall. It was designed by the \
engineers Maurice Koechlin and Émile Nouguier, who worked for the company of Gustave Eiffel.

Visitors reach the first two levels by stairs or lift. The restaurant on the second level is called Le Jules Verne.
"""
BRIDGE = """The Golden Gate Bridge

The Golden Gate Bridge is a suspension bridge in San Francisco. It opened in 1937. Its main span is \
1,280 metres long. The colour of the bridge is called international orange.
"""


def add_collection(owner: Any, name: str = "Library", visibility: str = "private", **texts: str) -> Any:
    """A collection of these documents, searchable."""
    from django.conf import settings

    from webapp.celery import app
    from webapp.knowledge import services, worker
    from webapp.settings.queues import broker_url

    app.conf.broker_url = broker_url(settings.REDIS_URL)  # the test run's queue, on which nobody works
    collection = services.create_collection(owner, name, visibility=visibility)
    for title, text in texts.items():
        document, _duplicate = services.add_document(collection, f"{title}.txt", [text.encode()], owner)
        worker.ingest(document.pk)
        document.refresh_from_db()
        assert document.status == "ready", document.error
    return collection
