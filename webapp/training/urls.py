"""The addresses of the dashboard, under /dashboard/."""

from __future__ import annotations

from django.urls import path

from webapp.training.views import compression, corrections, datasets, evaluations, jobs, models, retraining

urlpatterns = [
    path("", jobs.overview, name="dashboard"),
    path("jobs/new/", jobs.launch, name="new-job"),
    path("jobs/compare/", jobs.compare, name="compare-jobs"),
    path("jobs/<uuid:identifier>/", jobs.job, name="job"),
    path("jobs/<uuid:identifier>/archive/", jobs.archive, name="job-archive"),
    path("jobs/<uuid:identifier>/curves.csv", jobs.job_curves, name="job-curves"),
    path("datasets/", datasets.datasets, name="datasets"),
    path("datasets/corrections/", corrections.corrections, name="corrections"),
    path("datasets/corrections/<int:identifier>/", corrections.correct, name="correct"),
    path("datasets/corrections/make/", corrections.make, name="dataset-of-corrections"),
    path("datasets/corrections/pairs/", corrections.make_pairs, name="dataset-of-pairs"),
    path("datasets/marks/make/", datasets.make_of_marks, name="dataset-of-marks"),
    path("datasets/<uuid:identifier>/", datasets.dataset, name="dataset"),
    path("datasets/<uuid:identifier>/accept/", datasets.accept, name="accept-dataset"),
    path("datasets/<uuid:identifier>/delete/", datasets.delete, name="delete-dataset"),
    path("evaluations/", evaluations.evaluations, name="evaluations"),
    path("evaluations/<uuid:identifier>/", evaluations.evaluation, name="evaluation"),
    path("evaluations/watches/", evaluations.watch, name="watch"),
    path("evaluations/watches/<int:identifier>/delete/", evaluations.unwatch, name="unwatch"),
    path("jobs/<uuid:identifier>/retrain/", retraining.retrain_like, name="retrain-like"),
    path("retraining/", retraining.retrain, name="retrain"),
    path("retraining/<int:identifier>/end/", retraining.end, name="end-retraining"),
    path("retraining/<int:identifier>/take-over/", retraining.take_over, name="take-retraining-over"),
    path("retraining/rounds/<int:identifier>/again/", retraining.again, name="again-round"),
    path("retraining/rounds/<int:identifier>/dismiss/", retraining.dismiss, name="dismiss-round"),
    path("models/", models.models, name="models"),
    path("models/<str:name>/rollback/", models.rollback, name="rollback"),
    path("models/<str:name>/<str:version>/compress/", compression.compress, name="compress-version"),
    path("models/<str:name>/<str:version>/export/", models.export, name="export-version"),
    path("models/<str:name>/<str:version>/", models.version, name="model-version"),
]
