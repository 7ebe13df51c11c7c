"""GET /api/v1/usage: what the caller has used. /api/v1/quotas/: what an administrator sets for each person."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp import access
from webapp.accounts.models import Scope, User
from webapp.api.permissions import IsAdministrator, IsMember
from webapp.limits import allowed, meter
from webapp.limits.models import Quota

DAYS_SHOWN = 14


class StandingSerializer(serializers.Serializer):
    """One of the limits that hold for the caller."""

    name = serializers.CharField(help_text="of the policy, as in the header RateLimit-Policy")
    limit = serializers.IntegerField()
    used = serializers.IntegerField()
    remaining = serializers.IntegerField()
    resets_in_seconds = serializers.IntegerField()


class DaySerializer(serializers.Serializer):
    day = serializers.DateField()
    tokens = serializers.IntegerField()
    jobs = serializers.IntegerField()


class UsageSerializer(serializers.Serializer):
    limits = StandingSerializer(many=True)
    days = DaySerializer(many=True)


class UsageView(APIView):
    permission_classes = [IsMember]
    scope = Scope.ACCOUNT

    @extend_schema(responses=UsageSerializer)
    def get(self, request: Request) -> Response:
        """What you have used, now and on the last days, the latest first."""
        shown = {"limits": meter.standings(request.user), "days": meter.days(request.user, DAYS_SHOWN)}
        return Response(UsageSerializer(shown).data)


class QuotaSerializer(serializers.ModelSerializer):
    class Meta:
        model = Quota
        fields = allowed.NAMES


class PersonSerializer(serializers.ModelSerializer):
    """`quota` is what was set for the person, with null where the site's limit holds."""

    quota = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "username", "role", "quota"]

    @extend_schema_field(QuotaSerializer)
    def get_quota(self, person: User) -> dict:
        return QuotaSerializer(getattr(person, "quota", None) or Quota(user=person)).data


class QuotaViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """What each person may use. Administrators only."""

    permission_classes = [IsAdministrator]
    scope = Scope.ACCOUNT
    serializer_class = PersonSerializer
    queryset = User.objects.none()
    lookup_value_regex = r"\d+"
    search_fields = ("username",)
    equal_fields = ("role",)
    ordering_fields = ("username", "role")

    def get_queryset(self) -> QuerySet[User]:
        return access.people(self.request.user).select_related("quota").order_by("username")

    @extend_schema(request=QuotaSerializer, responses=PersonSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Set limits of one person; null leaves the site's in force."""
        person = self.get_object()
        own = getattr(person, "quota", None) or Quota(user=person)
        wanted = QuotaSerializer(own, data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        wanted.save()
        return Response(PersonSerializer(self.get_queryset().get(pk=person.pk)).data)
