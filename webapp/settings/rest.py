"""The REST interface's defaults: who may call it, paging, one shape of errors, its OpenAPI description."""

from __future__ import annotations

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "webapp.accounts.authentication.ApiKeyAuthentication",
        "webapp.accounts.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["webapp.api.json_bodies.JSONBody"],
    "DEFAULT_PAGINATION_CLASS": "webapp.api.paging.Pages",
    "DEFAULT_METADATA_CLASS": None,  # /api/v1/schema describes; OPTIONS would answer without looking who asks
    "DEFAULT_FILTER_BACKENDS": ["webapp.api.filtering.AsAsked"],
    "DEFAULT_SCHEMA_CLASS": "webapp.api.described.Described",
    "DEFAULT_THROTTLE_CLASSES": ["webapp.api.counting.Counted"],
    "EXCEPTION_HANDLER": "webapp.api.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Wenda",
    "DESCRIPTION": "Questions answered from your own documents, with citations.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums",
                             "webapp.api.described_errors.with_errors"],
    "ENUM_NAME_OVERRIDES": {"ProductionStatusEnum": "webapp.chat.models.MessageStatus",
                            "DataTaskEnum": "webapp.training.models.DataTask"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
