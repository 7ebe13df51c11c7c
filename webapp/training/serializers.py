"""Data sets, jobs, evaluations and models as JSON: the same for the REST interface and for the jobs' socket."""

from __future__ import annotations

import json
from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils.encoders import JSONEncoder

from webapp.training import queueing
from webapp.training.models import WAITING, Dataset, DatasetVersion, DataTask, Evaluation, Job, Promotion


class DatasetVersionSerializer(serializers.ModelSerializer):
    class Meta:
        model = DatasetVersion
        fields = ["id", "number", "sha256", "file_name", "size", "is_accepted", "rows_read", "rows_train",
                  "rows_held_out", "report", "created_at"]


class DatasetSerializer(serializers.ModelSerializer):
    versions = DatasetVersionSerializer(many=True, read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields = ["id", "name", "task", "description", "versions", "created_at", "url"]

    def get_url(self, dataset: Dataset) -> str:
        return reverse("dataset", args=[dataset.pk])


class DatasetUploadSerializer(serializers.Serializer):
    """What an upload has to bring. `dataset` adds a version to a data set instead of making one; without a
    `held_out_share` the documents that the version before had stay on their sides."""

    name = serializers.CharField(required=False, max_length=120)
    task = serializers.ChoiceField(required=False, choices=DataTask.choices)
    dataset = serializers.UUIDField(required=False)
    held_out_share = serializers.FloatField(required=False, min_value=0, max_value=0.9)
    file = serializers.FileField(allow_empty_file=True)


class JobSerializer(serializers.ModelSerializer):
    url = serializers.SerializerMethodField()
    waits_for = serializers.SerializerMethodField(help_text="the names of the jobs that come first")

    class Meta:
        model = Job
        fields = ["id", "kind", "task", "name", "status", "options", "data", "data_label", "cloned_from", "step",
                  "steps", "figures", "metrics", "result", "seconds_left", "seconds", "error", "error_code",
                  "log_tail", "created_at", "started_at", "ended_at", "updated_at", "url", "waits_for"]

    def get_url(self, job: Job) -> str:
        return reverse("job", args=[job.pk])

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_waits_for(self, job: Job) -> list[str]:
        return [str(one) for one in queueing.ahead_of(job)] if job.status in WAITING else []


class NewJobSerializer(serializers.Serializer):
    """`kind` "measure" only times a few steps. `settings` are the recipe's, as `manage.py finetune TASK --help` lists
    them, and `base`, the NAME@VERSION to start from."""

    kind = serializers.ChoiceField(choices=["train", "measure"], default="train")
    task = serializers.ChoiceField(choices=DataTask.choices)
    data = serializers.UUIDField(help_text="a data set's version")
    name = serializers.CharField(required=False, allow_blank=True, max_length=120, default="")
    settings = serializers.DictField(required=False, default=dict)
    cloned_from = serializers.UUIDField(required=False)


class EvaluationSerializer(serializers.ModelSerializer):
    url = serializers.SerializerMethodField()

    class Meta:
        model = Evaluation
        fields = ["id", "job", "task", "model", "version", "data", "data_label", "condition", "n", "metrics",
                  "intervals", "labelling", "seconds", "created_at", "url"]

    def get_url(self, evaluation: Evaluation) -> str:
        return reverse("evaluation", args=[evaluation.pk])


class NewEvaluationSerializer(serializers.Serializer):
    task = serializers.ChoiceField(choices=DataTask.choices)
    data = serializers.UUIDField(help_text="a data set's version; its held-out rows are measured on")
    models = serializers.ListField(child=serializers.CharField(), min_length=1, help_text="NAME@VERSION of each")
    limit = serializers.IntegerField(required=False, min_value=1)
    source = serializers.CharField(required=False)
    target = serializers.CharField(required=False)
    length = serializers.CharField(required=False)


class PromotionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Promotion
        fields = ["model", "version", "before", "is_rollback", "is_against_rule", "reason", "figures", "by_name",
                  "at"]


class PromoteSerializer(serializers.Serializer):
    version = serializers.CharField()
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    against_rule = serializers.BooleanField(default=False)


class RollbackSerializer(serializers.Serializer):
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class ModelVersionSerializer(serializers.Serializer):
    name = serializers.CharField()
    version = serializers.CharField()
    kind = serializers.CharField()
    served = serializers.ChoiceField(choices=["current", "previous", ""])
    bytes = serializers.IntegerField()
    metrics = serializers.DictField(child=serializers.FloatField())
    lineage = serializers.SerializerMethodField(help_text="data, base, settings and code that it was made with")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_lineage(self, one: Any) -> dict[str, Any]:
        return one["lineage"]


def job_json(job: Job) -> dict[str, Any]:
    """Plain values only, ready for json.dumps."""
    return json.loads(json.dumps(JobSerializer(job).data, cls=JSONEncoder))
