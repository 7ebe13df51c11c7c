"""The addresses of this app's pages, and those that LibreTranslate's clients know."""

from __future__ import annotations

from django.urls import path

from webapp.writing import libretranslate, summary_views, translation_views

urlpatterns = [
    path("summarize/", summary_views.summarize, name="summarize"),
    path("summarize/<uuid:identifier>/", summary_views.summarize, name="summarized"),
    path("translate/", translation_views.translate, name="translate"),
    path("translate/files/<uuid:identifier>/", translation_views.translated_file, name="translated-file"),
    path("translate", libretranslate.translate, name="libretranslate"),
    path("detect", libretranslate.detect, name="libretranslate-detect"),
    path("languages", libretranslate.languages, name="libretranslate-languages"),
    path("frontend/settings", libretranslate.frontend_settings, name="libretranslate-settings"),
    path("health", libretranslate.health, name="libretranslate-health"),
    path("suggest", libretranslate.suggest, name="libretranslate-suggest"),
    path("translate_file", libretranslate.translate_file, name="libretranslate-file"),
    path("download_file/<str:token>", libretranslate.download_file, name="libretranslate-download"),
]
