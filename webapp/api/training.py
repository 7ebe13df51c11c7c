"""/api/v1/datasets/, jobs/, evaluations/ and models/: improving the models. Administrators only."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from webapp import access
from webapp.accounts.models import Scope
from webapp.api.idempotency import Idempotent
from webapp.api.knowledge import UUID_PATTERN
from webapp.api.permissions import IsAdministrator
from webapp.errors import BadInput, NotFound
from webapp.training import datasets, jobs, promoting, rows_file, shelf
from webapp.training.models import Dataset, DatasetVersion, Evaluation, Job, Promotion
from webapp.training.serializers import (
    DatasetSerializer,
    DatasetUploadSerializer,
    EvaluationSerializer,
    JobSerializer,
    ModelVersionSerializer,
    NewEvaluationSerializer,
    NewJobSerializer,
    PromoteSerializer,
    PromotionSerializer,
    RollbackSerializer,
)

MOST_ROWS = 200


def version_of(user: Any, identifier: Any) -> DatasetVersion:
    """A data set's version that the user may use; BadInput names the field."""
    found = DatasetVersion.objects.filter(dataset__in=access.datasets(user), pk=identifier).first()
    if found is None:
        raise BadInput("data must be the id of a data set's version.", "data")
    return found


class DatasetViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin,
                     viewsets.GenericViewSet):
    permission_classes = [IsAdministrator]
    scope = Scope.MODELS
    serializer_class = DatasetSerializer
    queryset = Dataset.objects.none()
    search_fields = ("name", "description")
    equal_fields = ("task",)
    ordering_fields = ("created_at", "name")
    lookup_value_regex = UUID_PATTERN
    parser_classes = [MultiPartParser]

    def get_queryset(self):
        return access.datasets(self.request.user).prefetch_related("versions")

    @extend_schema(request={"multipart/form-data": DatasetUploadSerializer}, responses={201: DatasetSerializer})
    def create(self, request: Request) -> Response:
        """A file becomes a data set, or a new version of the data set that `dataset` names."""
        upload = DatasetUploadSerializer(data=request.data)
        upload.is_valid(raise_exception=True)
        given = upload.validated_data
        file = given["file"]
        if "dataset" in given:
            dataset = get_object_or_404(self.get_queryset(), pk=given["dataset"])
            datasets.add_version(dataset, request.user, file.name, file.chunks(), share=given.get("held_out_share"))
        else:
            for name in ("name", "task"):
                if not given.get(name):
                    raise BadInput(f"{name} is needed for a new data set.", name)
            dataset = datasets.create_with_file(
                given["name"], given["task"], request.user, file.name, file.chunks(),
                share=given.get("held_out_share", datasets.HELD_OUT_SHARE)).dataset
        shown = self.get_queryset().get(pk=dataset.pk)
        return Response(DatasetSerializer(shown).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, dataset: Dataset) -> None:
        datasets.delete(dataset)

    @extend_schema(parameters=[OpenApiParameter("q", str), OpenApiParameter("side", str, enum=["train", "held-out"])],
                   responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def rows(self, request: Request, pk: str) -> Response:
        """The first rows of the newest version, of those that hold `q`."""
        dataset = self.get_object()
        if dataset.newest is None:
            return Response({"rows": []})
        asked = request.query_params
        found = rows_file.rows(dataset.newest, asked.get("q", ""), asked.get("side", ""))
        return Response({"rows": [row for row, _number in zip(found, range(MOST_ROWS), strict=False)]})

    @extend_schema(request=None, responses=DatasetSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Agree that the rows of the newest version that could not be used are left out."""
        dataset = self.get_object()
        if dataset.newest is not None:
            datasets.accept(dataset.newest)
        return Response(DatasetSerializer(self.get_queryset().get(pk=dataset.pk)).data)


class JobViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin,
                 viewsets.GenericViewSet):
    permission_classes = [IsAdministrator]
    scope = Scope.MODELS
    serializer_class = JobSerializer
    queryset = Job.objects.none()
    search_fields = ("name", "data_label")
    equal_fields = ("status", "kind", "task")
    ordering_fields = ("created_at", "started_at", "ended_at", "status")
    lookup_value_regex = UUID_PATTERN

    def get_queryset(self):
        return access.jobs(self.request.user)

    @extend_schema(request=NewJobSerializer, responses={202: JobSerializer})
    def create(self, request: Request) -> Response:
        """Queue a fine-tune."""
        wanted = NewJobSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        source = None
        if "cloned_from" in given:
            source = get_object_or_404(self.get_queryset(), pk=given["cloned_from"])
        job = jobs.launch(given["task"], version_of(request.user, given["data"]), given["settings"], request.user,
                          name=given["name"], kind=given["kind"], cloned_from=source)
        return _accepted(job)

    def perform_destroy(self, job: Job) -> None:
        jobs.delete(job)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop the job; its checkpoint is kept."""
        return _accepted(jobs.cancel(self.get_object()))

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Stop at the next checkpoint, to go on later."""
        return _accepted(jobs.pause(self.get_object()))

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on from the last checkpoint."""
        return _accepted(jobs.resume(self.get_object()))

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], url_path="start-over")
    def start_over(self, request: Request, pk: str) -> Response:
        """Begin anew, without the checkpoint."""
        return _accepted(jobs.start_over(self.get_object()))


class EvaluationViewSet(Idempotent, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    permission_classes = [IsAdministrator]
    scope = Scope.MODELS
    serializer_class = EvaluationSerializer
    queryset = Evaluation.objects.none()
    lookup_value_regex = UUID_PATTERN
    search_fields = ("model", "data_label", "condition")
    equal_fields = ("job", "task", "model", "version")
    ordering_fields = ("created_at", "model", "n")

    def get_queryset(self):
        return access.evaluations(self.request.user)

    @extend_schema(request=NewEvaluationSerializer, responses={202: JobSerializer})
    def create(self, request: Request) -> Response:
        """Queue the measuring of models, all on the same rows; ends in one evaluation a model."""
        wanted = NewEvaluationSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        job = jobs.evaluate(given.pop("task"), version_of(request.user, given.pop("data")), given.pop("models"),
                            request.user, limit=given.pop("limit", None), options=given)
        return _accepted(job)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def examples(self, request: Request, pk: str) -> Response:
        """Each row's result."""
        return Response({"examples": promoting.examples(self.get_object())})

    @extend_schema(parameters=[OpenApiParameter("with", OpenApiTypes.UUID, required=True)],
                   responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def compare(self, request: Request, pk: str) -> Response:
        """This evaluation's metrics less those of the one that `with` names, over the same rows, with intervals."""
        try:
            other = get_object_or_404(access.evaluations(request.user), pk=request.query_params.get("with"))
        except (ValueError, ValidationError):
            raise BadInput("with must be an evaluation's id.", "with") from None
        found = promoting.compare(other, self.get_object())
        return Response({"differences": {name: vars(one) for name, one in found.items()}})


VERSIONS = OpenApiResponse({"type": "array", "items": {"$ref": "#/components/schemas/ModelVersion"}})
"""All at once: from a serializer, the framework would describe pages."""


class ModelViewSet(Idempotent, viewsets.GenericViewSet):
    permission_classes = [IsAdministrator]
    scope = Scope.MODELS
    serializer_class = ModelVersionSerializer
    filter_backends = []
    lookup_value_regex = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

    @extend_schema(responses=ModelVersionSerializer(many=True))
    def list(self, request: Request) -> Response:
        """Every version of every model."""
        page = self.paginate_queryset([vars(one) for name in shelf.names() for one in shelf.versions(name)])
        return self.get_paginated_response(ModelVersionSerializer(page, many=True).data)

    @extend_schema(responses=VERSIONS)
    def retrieve(self, request: Request, pk: str) -> Response:
        """The versions of one model."""
        if pk not in shelf.names():
            raise NotFound("There is no model of this name.")
        return Response(ModelVersionSerializer([vars(one) for one in shelf.versions(pk)], many=True).data)

    @extend_schema(request=PromoteSerializer, responses=PromotionSerializer)
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, pk: str) -> Response:
        """Serve a version from now on, if the rule allows it or a reason is given."""
        wanted = PromoteSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        done = promoting.promote(pk, given["version"], request.user, reason=given["reason"],
                                 against_rule=given["against_rule"])
        return Response(PromotionSerializer(done).data)

    @extend_schema(request=RollbackSerializer, responses=PromotionSerializer)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, pk: str) -> Response:
        """Serve the version before again."""
        wanted = RollbackSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response(PromotionSerializer(promoting.rollback(pk, request.user, **wanted.validated_data)).data)

    @extend_schema(responses=PromotionSerializer(many=True))
    @action(detail=True)
    def history(self, request: Request, pk: str) -> Response:
        """Who promoted what, when, why and by which figures."""
        page = self.paginate_queryset(Promotion.objects.filter(model=pk))
        return self.get_paginated_response(PromotionSerializer(page, many=True).data)


def _accepted(job: Job) -> Response:
    return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)
