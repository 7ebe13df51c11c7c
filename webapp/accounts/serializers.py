"""API keys as JSON; the key itself appears only in the answer that makes it."""

from __future__ import annotations

from rest_framework import serializers

from webapp.accounts.models import ApiKey, Scope


class ApiKeySerializer(serializers.ModelSerializer):
    scopes = serializers.ListField(
        child=serializers.ChoiceField(Scope.choices), required=False, min_length=1, max_length=len(Scope),
        help_text="what the key may be used for; everything that its user may when none is given")

    class Meta:
        model = ApiKey
        fields = ["id", "name", "prefix", "created_at", "last_used_at", "expires_at", "scopes",
                  "requests_per_minute", "tokens_per_day"]
        read_only_fields = ["id", "prefix", "created_at", "last_used_at"]


class NewApiKeySerializer(ApiKeySerializer):
    key = serializers.CharField(read_only=True, help_text="shown this once")

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]
