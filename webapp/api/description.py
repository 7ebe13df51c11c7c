"""What describes the interfaces to programs and to those who write them: OpenAPI, its page, the socket messages."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_service import protocol
from webapp.ops.security_headers import policy


class ProtocolView(APIView):
    """The JSON Schema of every message: to and from the model service, to and from the chat page's socket."""

    authentication_classes: list = []
    permission_classes = [AllowAny]

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(protocol.json_schema())


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1: JSON unless YAML is asked for."""

    authentication_classes: list = []
    permission_classes = [AllowAny]
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2]


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI. It sets styles from its script, so this one page allows inline styles; never inline scripts."""

    authentication_classes: list = []
    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        response = super().get(request, *args, **kwargs)
        allowed = {**settings.CONTENT_SECURITY_POLICY, "style-src": ["'self'", "'unsafe-inline'"]}
        response["Content-Security-Policy"] = policy(allowed)
        return response
