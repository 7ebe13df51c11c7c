"""Notices in the rows of other rooms what has to be written down: data sets, jobs, promotions, limits."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from webapp.audit.models import Action
from webapp.audit.services import record
from webapp.limits import allowed
from webapp.limits.models import Quota
from webapp.training.models import Dataset, DatasetVersion, Job, Promotion


@receiver(post_save, sender=DatasetVersion)
def _data_came(instance: DatasetVersion, created: bool, **_: Any) -> None:
    if created:
        record(Action.DATASET_UPLOADED, instance, dataset=str(instance.dataset_id))


@receiver(post_delete, sender=Dataset)
def _data_went(instance: Dataset, **_: Any) -> None:
    record(Action.DATASET_DELETED, instance)


@receiver(post_save, sender=Job)
def _job_came(instance: Job, created: bool, **_: Any) -> None:
    if created:
        record(Action.JOB_STARTED, instance, by=instance.created_by, job=str(instance.pk), kind=instance.kind)


@receiver(post_delete, sender=Job)
def _job_went(instance: Job, **_: Any) -> None:
    record(Action.JOB_DELETED, instance, job=str(instance.pk))


@receiver(post_save, sender=Promotion)
def _promoted(instance: Promotion, created: bool, **_: Any) -> None:
    if created:
        record(Action.PROMOTED, f"{instance.model} {instance.version}", by=instance.by, before=instance.before,
               rollback=instance.is_rollback, against_the_rule=instance.is_against_rule, reason=instance.reason)


@receiver(post_save, sender=Quota)
def _limits_changed(instance: Quota, **_: Any) -> None:
    record(Action.LIMITS_CHANGED, instance.user.username, **{name: getattr(instance, name) for name in allowed.NAMES})
