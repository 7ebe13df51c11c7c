"""/api/v1/abstention: the confidence below which the site withholds an answer, and what another would mean."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import Scope
from webapp.api.permissions import IsAdministrator
from webapp.chat import abstention


class BarSerializer(serializers.Serializer):
    bar = serializers.FloatField(min_value=0, max_value=0.95, help_text="confidence, in steps of 0.05")


class MeasuredBarSerializer(BarSerializer):
    coverage = serializers.FloatField(help_text="the share of questions that would be answered, 0 to 1")
    precision = serializers.FloatField(allow_null=True, help_text="the share of those answers that would be right")


class RecentBarSerializer(BarSerializer):
    answers = serializers.IntegerField(help_text="of the last days, those of this confidence or more")
    helpful = serializers.IntegerField()
    unhelpful = serializers.IntegerField()


class AbstentionSerializer(BarSerializer):
    """`measured` is empty where the reader's confidence was not measured."""

    default = serializers.FloatField()
    reader = serializers.CharField(help_text="NAME@VERSION")
    measured = MeasuredBarSerializer(many=True)
    recent = RecentBarSerializer(many=True)


class AbstentionView(APIView):
    permission_classes = [IsAdministrator]
    scope = Scope.MODELS

    @extend_schema(responses=AbstentionSerializer)
    def get(self, request: Request) -> Response:
        """The bar, and what each bar would mean: as measured for the reader in use, and for the last answers here."""
        reader, figures = abstention.figures()
        return Response(AbstentionSerializer({
            "bar": abstention.bar(), "default": abstention.ABSTAIN_BELOW, "reader": reader,
            "measured": [each.model_dump() for each in figures.bars] if figures else [],
            "recent": abstention.recent(),
        }).data)

    @extend_schema(request=BarSerializer, responses=AbstentionSerializer)
    def put(self, request: Request) -> Response:
        """Move the bar; it holds from the next question on."""
        wanted = BarSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        abstention.set_bar(wanted.validated_data["bar"], request.user)
        return self.get(request)
