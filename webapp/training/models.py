"""Data sets, jobs, evaluations, promotions: rows say how things stand; files lie in the data folder."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from webapp.chat.models import Feedback


class DataTask(models.TextChoices):
    """What a data set is for; each name is a recipe's or an evaluation's."""

    QA = "qa", _("Question answering")
    TRANSLATE = "translate", _("Translation")
    SUMMARIZE = "summarize", _("Summarization")
    CHAT = "chat", _("Chat")
    CLASSIFICATION = "classification", _("Classification")
    TOKEN_CLASSIFICATION = "token-classification", _("Entities in texts")
    RETRIEVAL = "retrieval", _("Retrieval")
    PREFERENCES = "preferences", _("Preferences")


class Dataset(models.Model):
    """A named set of examples; what is in it is its versions' business."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    task = models.CharField(max_length=24, choices=DataTask.choices)
    description = models.TextField(blank=True, default="", max_length=2000)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def newest(self) -> DatasetVersion | None:
        return self.versions.first()


class DatasetVersion(models.Model):
    """What a data set held once, never changed; recognised by the hash of its rows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, help_text="of its rows and how they are split")
    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(help_text="bytes of the file as it came")
    is_accepted = models.BooleanField(help_text="false while nobody has agreed that rows were left out")
    rows_read = models.PositiveIntegerField()
    rows_train = models.PositiveIntegerField()
    rows_held_out = models.PositiveIntegerField()
    report = models.JSONField(help_text="problem counts, the first problems, length histogram")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="one_version_per_number"),
                       models.UniqueConstraint(fields=["dataset", "sha256"], name="one_version_per_content")]

    def __str__(self) -> str:
        return f"{self.dataset.name} v{self.number}"

    @property
    def rows(self) -> int:
        return self.rows_train + self.rows_held_out


class JobKind(models.TextChoices):
    TRAIN = "train", _("Fine-tune")
    EVALUATE = "evaluate", _("Evaluation")
    MEASURE = "measure", _("Pre-flight")
    FOLDS = "folds", _("Cross-validation")
    SEARCH = "search", _("Search for settings")
    COMPRESS = "compress", _("Compression")
    EXPORT = "export", _("Export")


TRAININGS = (JobKind.TRAIN, JobKind.FOLDS, JobKind.SEARCH)
"""What the launch form starts, and can start again with changes."""


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    STARTING = "starting", _("Starting")
    RUNNING = "running", _("Running")
    RESUMING = "resuming", _("Resuming")
    PAUSING = "pausing", _("Pausing")
    PAUSED = "paused", _("Paused")
    CANCELLING = "cancelling", _("Cancelling")
    CANCELLED = "cancelled", _("Cancelled")
    LOST = "lost", _("Lost its worker")
    FAILED = "failed", _("Failed")
    DONE = "done", _("Done")


AT_WORK = (JobStatus.STARTING, JobStatus.RUNNING, JobStatus.RESUMING, JobStatus.PAUSING, JobStatus.CANCELLING)
"""A worker has the job."""
WAITING = (JobStatus.QUEUED, JobStatus.LOST)
UNFINISHED = (*WAITING, *AT_WORK)
RESUMABLE = (JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.FAILED)


class Job(models.Model):
    """Something that takes long, done by a child process of a training worker in a folder of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=JobKind.choices)
    task = models.CharField(max_length=24)
    name = models.CharField(max_length=120, blank=True, default="")
    status = models.CharField(max_length=10, choices=JobStatus.choices, default=JobStatus.QUEUED, db_index=True)
    options = models.JSONField(default=dict, help_text="the settings that were asked for; the rest are defaults")
    data = models.ForeignKey(DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="jobs")
    data_label = models.CharField(max_length=200, blank=True, default="", help_text="outlives the data set")
    cloned_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    step = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict, help_text="the newest loss, rate and so on")
    metrics = models.JSONField(default=dict, help_text="of the newest evaluation")
    result = models.JSONField(default=dict, help_text="what came out: the registered version, what was measured")
    seconds_left = models.FloatField(null=True)
    seconds = models.FloatField(default=0, help_text="at work, over all attempts")
    error = models.TextField(blank=True, default="", help_text="the cause in one sentence and what to do")
    error_code = models.CharField(max_length=20, blank=True, default="")
    log_tail = models.TextField(blank=True, default="", help_text="the last lines before it failed")
    deaths = models.PositiveIntegerField(default=0, help_text="of its child, with no step between them")
    lease = models.CharField(max_length=64, blank=True, default="", help_text="which process works on it")
    lease_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name or f"{self.get_kind_display()} {str(self.pk)[:8]}"


class Evaluation(models.Model):
    """A model measured on a data set's held-out rows; each row's result lies in a file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="evaluations")
    task = models.CharField(max_length=24)
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    data = models.ForeignKey(DatasetVersion, null=True, on_delete=models.SET_NULL, related_name="evaluations")
    data_label = models.CharField(max_length=200)
    condition = models.CharField(max_length=80, blank=True, default="",
                                 help_text="what else the figures hang on, such as the languages")
    n = models.PositiveIntegerField()
    metrics = models.JSONField()
    intervals = models.JSONField()
    labelling = models.JSONField(default=dict, blank=True, 
                                 help_text="of a classifier: each label, what was taken for what, how sure it was")
    seconds = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.model}@{self.version} · {self.data_label}"

    @property
    def is_of(self) -> tuple[Any, ...]:
        """Figures of the same are of the same rows and can be compared."""
        return self.task, self.data_id or self.data_label, self.condition, self.n


class Watch(models.Model):
    """The served model is measured on these rows every so many hours."""

    task = models.CharField(max_length=24)
    data = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="watches")
    options = models.JSONField(default=dict, help_text="of the evaluation, such as the languages")
    every_hours = models.PositiveIntegerField()
    rolls_back = models.BooleanField(default=False, help_text="to the version before, when the served one falls")
    last_at = models.DateTimeField(null=True)
    last_job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    good = models.ForeignKey(Evaluation, null=True, on_delete=models.SET_NULL, related_name="+",
                             help_text="the last one that did not fall")
    fallen = models.ForeignKey(Evaluation, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return " ".join([str(self.data), *(f"{value}" for value in self.options.values())])


class Retraining(models.Model):
    """The model of a data set's task is trained again whenever the data set has grown, and then proposed."""

    dataset = models.OneToOneField(Dataset, on_delete=models.CASCADE, related_name="retraining")
    options = models.JSONField(default=dict, help_text="of the training; the rest are the recipe's")
    evaluation = models.JSONField(default=dict, help_text="options of the evaluation, such as the languages")
    every_hours = models.PositiveIntegerField()
    least_corrections = models.PositiveIntegerField(default=0, help_text="so many become a version first; 0: never")
    promotes = models.BooleanField(default=False, help_text="by itself what the rule allows")
    trained_number = models.PositiveIntegerField(default=0, help_text="of the version that was trained on last")
    next_at = models.DateTimeField(help_text="when the data set is looked at next")
    problem = models.TextField(blank=True, default="", help_text="why the last look came to nothing")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.dataset.name


class Stage(models.TextChoices):
    TRAINING = "training", _("Training")
    MEASURING = "measuring", _("Being measured")
    PASSED = "passed", _("About to be served")
    SERVING = "serving", _("Being put into use")
    PROPOSED = "proposed", _("Proposed")
    PROMOTED = "promoted", _("Put into use")
    REFUSED = "refused", _("The rule does not allow it")
    DISMISSED = "dismissed", _("Dismissed")
    OVERTAKEN = "overtaken", _("A newer one is proposed")
    BROKEN = "broken", _("Not finished")


class Round(models.Model):
    """One version of a data set, on its way from a training to a proposal. The row says how far it has come."""

    retraining = models.ForeignKey(Retraining, on_delete=models.CASCADE, related_name="rounds")
    data = models.ForeignKey(DatasetVersion, on_delete=models.CASCADE, related_name="+")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.TRAINING, db_index=True)
    not_before = models.DateTimeField(null=True, help_text="until then it is left alone, or another worker has it")
    training = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    measuring = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    model = models.CharField(max_length=64, blank=True, default="")
    candidate = models.CharField(max_length=32, blank=True, default="")
    incumbent = models.CharField(max_length=32, blank=True, default="")
    verdict = models.CharField(max_length=12, blank=True, default="", help_text="of the gate")
    figures = models.JSONField(default=dict, help_text="the gate's main metric, and each metric's difference")
    seen = models.PositiveIntegerField(default=0, help_text="rows measured that the incumbent learned from")
    problem = models.TextField(blank=True, default="", help_text="the cause in a sentence")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["retraining", "data"], name="one_round_per_version")]

    def __str__(self) -> str:
        return str(self.data)


class Promotion(models.Model):
    """Who put which version into use or took it back, when, why and by which figures."""

    model = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    before = models.CharField(max_length=32, blank=True, default="")
    is_rollback = models.BooleanField(default=False)
    is_against_rule = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="", max_length=2000)
    figures = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=150, blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]


class Correction(models.Model):
    """What an answer that was judged bad should have said: a span of a passage, or that the passage has no answer."""

    feedback = models.OneToOneField(Feedback, on_delete=models.CASCADE, related_name="correction")
    context = models.TextField()
    answer = models.TextField(blank=True, default="")
    start = models.PositiveIntegerField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now=True)
