"""/api/v1/keys/: one's own API keys."""

from __future__ import annotations

from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts import services
from webapp.accounts.models import ApiKey, Scope
from webapp.accounts.serializers import ApiKeySerializer, NewApiKeySerializer
from webapp.api.permissions import IsMember


class ApiKeyViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    permission_classes = [IsMember]
    scope = Scope.ACCOUNT
    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.none()
    lookup_value_regex = r"\d+"
    search_fields = ("name",)
    ordering_fields = ("created_at", "name", "last_used_at", "expires_at")

    def get_queryset(self):
        return ApiKey.objects.filter(user=self.request.user)

    def create(self, request: Request) -> Response:
        """Make a key, which is shown this once."""
        wanted = ApiKeySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        key, secret = services.create_api_key(request.user, **wanted.validated_data)
        key.key = secret
        return Response(NewApiKeySerializer(key).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, key: ApiKey) -> None:
        services.delete_api_key(self.request.user, key.pk)
