"""What every operation has in the OpenAPI description, whoever wrote its view."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from webapp.api.idempotency import HEADER, MOST_CHARACTERS, Idempotent

KEY = OpenApiParameter(
    HEADER, {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}, OpenApiParameter.HEADER,
    description="the same key and body again give the first answer again, for a day",
)


class Described(AutoSchema):
    def get_override_parameters(self) -> list[OpenApiParameter]:
        own = super().get_override_parameters()
        return [*own, KEY] if self.method == "POST" and isinstance(self.view, Idempotent) else own
