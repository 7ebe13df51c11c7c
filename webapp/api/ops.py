"""GET /api/v1/ops/: how the site stands, for administrators' programs; the Ops page as figures."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.api.permissions import IsAdministrator
from webapp.ops import snapshot
from webapp.ops.snapshot_parts import Snapshot


class OpsView(APIView):
    """A key needs every scope: this tells of all that the site does."""

    permission_classes = [IsAdministrator]

    @extend_schema(responses=Snapshot)
    def get(self, request: Request) -> Response:
        """Parts with their state and why, queues, times and outcomes of the last hour, memory, errors."""
        return Response(snapshot.taken(request.user).numbers())
