"""What every operation has in the OpenAPI description, whoever wrote its view."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import OpenApiParameter

from webapp.api.idempotency import HEADER, MOST_CHARACTERS, Idempotent

KEY = OpenApiParameter(
    HEADER, {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS}, OpenApiParameter.HEADER,
    description="the same key and body again give the first answer again, for a day",
)


USUAL = {
    "list": "Those that you may see, in pages.", "retrieve": "One of them.", "create": "Make one.",
    "partial_update": "Change it.", "destroy": "Delete it.",
}
"""What the actions do that the framework brings."""


class Described(AutoSchema):
    def get_description(self) -> str:
        """The method's own words; else what such a method does, with what the view says of itself."""
        action = getattr(self.view, "action", None) or self.method.lower()
        words = get_doc(getattr(self.view, action, None)) if hasattr(self.view, action) else ""
        return words or " ".join(filter(None, (USUAL.get(action), vars(type(self.view)).get("__doc__"))))

    def get_override_parameters(self) -> list[OpenApiParameter]:
        own = super().get_override_parameters()
        return [*own, KEY] if self.method == "POST" and isinstance(self.view, Idempotent) else own
