"""The addresses of the REST interface, under /api/."""

from __future__ import annotations

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from webapp.api.abstention import AbstentionView
from webapp.api.ask import AskView
from webapp.api.classify import ClassifyView
from webapp.api.conversations import ConversationViewSet, FeedbackView
from webapp.api.description import DocsView, ProtocolView, SchemaView
from webapp.api.graph import EntitiesView, EntityView, GraphCountsView, GraphSourceViewSet, SparqlView
from webapp.api.keys import ApiKeyViewSet
from webapp.api.knowledge import CollectionViewSet, DocumentViewSet
from webapp.api.limits import QuotaViewSet, UsageView
from webapp.api.ops import OpsView
from webapp.api.search import MarksExportView, MarksView, SearchView
from webapp.api.summaries import SummarizedTextViewSet, SummarizeView
from webapp.api.training import DatasetViewSet, EvaluationViewSet, JobViewSet, ModelViewSet
from webapp.api.translation_batches import TranslationBatchViewSet, TranslationFileViewSet
from webapp.api.translations import GlossaryViewSet, LanguagesView, TranslateView, TranslationViewSet
from webapp.api.web_imports import WebImportViewSet

router = SimpleRouter()
router.register("collections", CollectionViewSet, basename="api-collection")
router.register("documents", DocumentViewSet, basename="api-document")
router.register("web-imports", WebImportViewSet, basename="api-web-import")
router.register("keys", ApiKeyViewSet, basename="api-key")
router.register("conversations", ConversationViewSet, basename="api-conversation")
router.register("summaries", SummarizedTextViewSet, basename="api-summary")
router.register("translations", TranslationViewSet, basename="api-translation")
router.register("glossary", GlossaryViewSet, basename="api-glossary-term")
router.register("translation-batches", TranslationBatchViewSet, basename="api-translation-batch")
router.register("translation-files", TranslationFileViewSet, basename="api-translation-file")
router.register("datasets", DatasetViewSet, basename="api-dataset")
router.register("jobs", JobViewSet, basename="api-job")
router.register("evaluations", EvaluationViewSet, basename="api-evaluation")
router.register("models", ModelViewSet, basename="api-model")
router.register("graph/sources", GraphSourceViewSet, basename="api-graph-source")
router.register("quotas", QuotaViewSet, basename="api-quota")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("v1/qa/ask", AskView.as_view(), name="api-ask"),
    path("v1/search", SearchView.as_view(), name="api-search"),
    path("v1/search/marks/", MarksView.as_view(), name="api-search-marks"),
    path("v1/search/marks/export", MarksExportView.as_view(), name="api-search-marks-export"),
    path("v1/summarize", SummarizeView.as_view(), name="api-summarize"),
    path("v1/translate", TranslateView.as_view(), name="api-translate"),
    path("v1/classify", ClassifyView.as_view(), name="api-classify"),
    path("v1/graph/counts", GraphCountsView.as_view(), name="api-graph-counts"),
    path("v1/graph/entities", EntitiesView.as_view(), name="api-graph-entities"),
    path("v1/graph/entity", EntityView.as_view(), name="api-graph-entity"),
    path("v1/graph/sparql", SparqlView.as_view(), name="api-graph-sparql"),
    path("v1/languages", LanguagesView.as_view(), name="api-languages"),
    path("v1/feedback/", FeedbackView.as_view(), name="api-feedback"),
    path("v1/ops/", OpsView.as_view(), name="api-ops"),
    path("v1/abstention", AbstentionView.as_view(), name="api-abstention"),
    path("v1/usage", UsageView.as_view(), name="api-usage"),
    path("v1/protocol", ProtocolView.as_view(), name="api-protocol"),
    path("v1/schema", SchemaView.as_view(), name="api-schema"),
    path("v1/docs", DocsView.as_view(url_name="api-schema"), name="api-docs"),
]
