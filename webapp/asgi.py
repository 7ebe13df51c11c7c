"""The web server's entry: HTTP to Django, sockets to the consumers, both behind their limits and origin check."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

import django  # noqa: E402

django.setup(set_prefix=False)  # whatever imports models comes after it

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from webapp.accounts.live_sockets import EndsWithAccess  # noqa: E402
from webapp.audit.origin import SocketOrigin  # noqa: E402
from webapp.chat.routing import websocket_urlpatterns as chat_sockets  # noqa: E402
from webapp.knowledge.routing import websocket_urlpatterns as knowledge_sockets  # noqa: E402
from webapp.ops.open_sockets import CountSockets  # noqa: E402
from webapp.ops.passing_uploads import BodyHandler  # noqa: E402
from webapp.ops.reporter import Reporter  # noqa: E402
from webapp.ops.socket_gate import SocketGate, unknown_socket  # noqa: E402
from webapp.ops.upload_limit import UploadLimit  # noqa: E402
from webapp.training.routing import websocket_urlpatterns as training_sockets  # noqa: E402
from webapp.writing.routing import websocket_urlpatterns as writing_sockets  # noqa: E402

sockets = URLRouter([*chat_sockets, *knowledge_sockets, *training_sockets, *writing_sockets, unknown_socket])
application = ProtocolTypeRouter({
    "http": UploadLimit(BodyHandler()),
    "websocket": SocketGate(CountSockets(AuthMiddlewareStack(EndsWithAccess(SocketOrigin(sockets))))),
})
Reporter("web").start()
