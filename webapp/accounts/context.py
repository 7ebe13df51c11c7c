"""What every template may ask about the person who looks at it: `can.chat`, `can.create_collection`, and so on."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from webapp import access as rules


def access(request: HttpRequest) -> dict:
    user = getattr(request, "user", None)
    if user is None:
        return {}
    return {
        "can": {
            "chat": rules.may(user, "chat"),
            "create_collection": rules.may(user, "create_collection"),
            "administer": rules.may(user, "administer"),
            "sign_up": settings.SIGN_UP_IS_OPEN,
        }
    }
