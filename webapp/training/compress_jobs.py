"""What people do with finished versions: have a smaller or quicker one made, or an archive for other software."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import ValidationError

from models_service.compression.methods import METHODS, needs_data
from webapp.accounts.models import User
from webapp.errors import BadInput
from webapp.training import jobs, subjects
from webapp.training.models import DatasetVersion, Job, JobKind


def compress(
    label: str, method: str, data: DatasetVersion | None, options: Mapping[str, Any], user: User | None, *,
    limit: int | None = None,
) -> Job:
    """Queue the making of a smaller or quicker version of NAME@VERSION, measured beside it on the held-out rows.

    Args:
        data: its training rows are learned or looked at where the method does that; without it nothing is said of the
            quality.
        limit: how many held-out rows are measured on.

    Raises:
        BadInput: a setting cannot be used (`field` names it), or the method, the model or the data set cannot.
    """
    model = subjects.check_compressible(label, method)
    try:
        settings = METHODS[method].settings.model_validate(
            {name: value for name, value in options.items() if value not in (None, "")})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        raise BadInput(_("%(setting)s: %(why)s") % {"setting": name.replace("_", " "), "why": first["msg"]},
                       name) from None
    if unknown := sorted(set(options) - set(METHODS[method].settings.model_fields)):
        raise BadInput(_("There is no setting “%(name)s”; there are: %(known)s.")
                       % {"name": unknown[0], "known": ", ".join(METHODS[method].settings.model_fields)}, unknown[0])
    if getattr(settings, "recovery_epochs", 0) and model.kind != "reader":
        raise BadInput(_("Only a reader can be trained afterwards."), "recovery_epochs")
    task = subjects.task_of(model)
    if data is not None:
        jobs.check_data(data, task or data.dataset.task)
    if needs_data(method, settings) and (data is None or not data.rows_train):
        raise BadInput(_("This needs a data set with training rows."), "data")
    if limit is not None and limit < 1:
        raise BadInput(_("The limit must be at least 1."), "limit")
    return jobs.queued(Job(
        kind=JobKind.COMPRESS, task=task or model.kind, name=f"{method} {model.label}"[:120], data=data,
        data_label=str(data or ""), created_by=user, queued_at=timezone.now(),
        options={"method": method, "model": model.label, **settings.model_dump(exclude_unset=True),
                 **({"limit": limit} if limit else {})},
    ))


def export(label: str, form: str, user: User | None) -> Job:
    """Queue the writing of an archive of NAME@VERSION in one of FORMATS. BadInput when that cannot be."""
    model = subjects.check_exportable(label, form)
    return jobs.queued(Job(kind=JobKind.EXPORT, task=subjects.task_of(model) or model.kind, created_by=user,
                       name=f"{form} {model.label}"[:120], options={"model": model.label, "format": form},
                       queued_at=timezone.now()))
