"""How every list is narrowed and put in order: ?search=, ?ordering=, ?created_after=, ?created_before= and the fields
that a view names.

A view says what it has: `search_fields`, or its own way to search as `searched`, `ordering_fields`, `equal_fields`.
Whatever has a time of being made can be asked for by it. `q` is the older name of `search`.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from webapp.errors import BadInput

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself loads this class

MADE = "created_at"
MOST_CHARACTERS = 200
_TIMES = {"created_after": f"{MADE}__gte", "created_before": f"{MADE}__lt"}


class AsAsked(BaseFilterBackend):
    """For lists only: a thing is there by its id, however it is asked for."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: APIView) -> QuerySet:
        if getattr(view, "detail", None) is not False:
            return queryset
        asked = request.query_params
        for name in _fields(view, "equal_fields"):
            if asked.get(name):
                queryset = queryset.filter(**{name: _value(queryset.model, name, asked[name])})
        for name, lookup in _TIMES.items():
            if asked.get(name) and _has(queryset.model, MADE):
                queryset = queryset.filter(**{lookup: _moment(name, asked[name])})
        if (text := asked.get("search") or asked.get("q")) and _is_searched(view):
            queryset = _found(queryset, text, view)
        if asked.get("ordering") and _fields(view, "ordering_fields"):
            queryset = _ordered(queryset, asked["ordering"], _fields(view, "ordering_fields"))
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        model = view.queryset.model
        found = [_described(name, **_kind(model, name)) for name in _fields(view, "equal_fields")]
        if _has(model, MADE):
            dated = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
            found += [_described("created_after", "made then or later", **dated),
                      _described("created_before", "made before then", **dated)]
        if _is_searched(view):
            found.append(_described("search", "only what holds all of these words", type="string",
                                    maxLength=MOST_CHARACTERS))
        if names := _fields(view, "ordering_fields"):
            found.append(_described("ordering", "with - before it the other way round", type="string",
                                    enum=[sign + name for name in names for sign in ("", "-")]))
        return found


def _fields(view: Any, kind: str) -> tuple[str, ...]:
    return getattr(view, kind, ())


def _is_searched(view: Any) -> bool:
    return hasattr(view, "searched") or bool(_fields(view, "search_fields"))


def _has(model: type[Model], name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def _kind(model: type[Model], name: str) -> dict[str, Any]:
    """The JSON Schema of a field's values."""
    field = model._meta.get_field(name)
    if field.is_relation:
        return {"type": "string", "format": "uuid"}
    return {"type": "string", **({"enum": [value for value, _label in field.choices]} if field.choices else {})}


def _value(model: type[Model], name: str, text: str) -> Any:
    field = model._meta.get_field(name)
    known = [value for value, _label in field.choices or ()]
    if known and text not in known:
        raise BadInput(_("%(name)s must be one of: %(known)s.") % {"name": name, "known": ", ".join(known)}, name)
    try:
        return field.target_field.to_python(text) if field.is_relation else text.replace("\x00", "")
    except ValidationError:
        raise BadInput(_("%(name)s must be an id.") % {"name": name}, name) from None


def _moment(name: str, text: str) -> datetime:
    """A day is meant from its beginning, and a time without a zone in the site's."""
    try:
        day = parse_date(text)
        found = datetime.combine(day, time.min) if day else parse_datetime(text)
        if found is not None:
            return (found if timezone.is_aware(found) else timezone.make_aware(found)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInput(_("%(name)s must be a day such as 2026-01-31, or a time such as 2026-01-31T08:00:00Z.")
                   % {"name": name}, name)


def _found(queryset: QuerySet, text: str, view: Any) -> QuerySet:
    if len(text) > MOST_CHARACTERS:
        raise BadInput(_("search may have at most %(most)s characters.") % {"most": MOST_CHARACTERS}, "search")
    text = text.replace("\x00", "")
    if hasattr(view, "searched"):
        return view.searched(queryset, text)
    for word in text.split():
        fitting = Q()
        for name in view.search_fields:
            fitting |= Q(**{f"{name}__icontains": word})
        queryset = queryset.filter(fitting)
    return queryset


def _ordered(queryset: QuerySet, wanted: str, names: tuple[str, ...]) -> QuerySet:
    if wanted.removeprefix("-") not in names:
        raise BadInput(_("ordering must be one of: %(known)s; with - before it the other way round.")
                       % {"known": ", ".join(names)}, "ordering")
    return queryset.order_by(wanted, "pk")  # so that nothing is on two pages


def _described(name: str, description: str = "", **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema,
            **({"description": description} if description else {})}
