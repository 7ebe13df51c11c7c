"""What changes glossaries. Who may call it on which rows is decided before, by `webapp/access.py`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from models_service.protocol_translated_text import GlossaryHit
from qa.writing.glossary import MAX_TERMS
from webapp import access
from webapp.accounts.models import User
from webapp.errors import BadInput
from webapp.writing.models import GlossaryTerm

_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,8})?")


def add(
    owner: User | None, source_language: str, target_language: str, source: str, target: str,
    case_sensitive: bool = False,
) -> GlossaryTerm:
    """A new term of `owner`, or of the site when that is None. The same word again gets the new translation."""
    source, target = " ".join(source.split()), " ".join(target.split())
    if not source or not target:
        raise BadInput(_("Write the word and its translation."), "source" if not source else "target")
    for field, code in (("source_language", source_language), ("target_language", target_language)):
        if not _CODE.fullmatch(code):
            raise BadInput(_("Choose both languages."), field)
    own = GlossaryTerm.objects.filter(owner=owner)
    if own.count() >= MAX_TERMS:
        raise BadInput(_("A glossary may have at most %(most)s terms. Delete some first.") % {"most": MAX_TERMS})
    known = own.filter(source_language=source_language, target_language=target_language, source=source)
    term = known.first() or GlossaryTerm(owner=owner, source_language=source_language,
                                         target_language=target_language, source=source)
    term.target, term.case_sensitive = target, case_sensitive
    try:
        term.full_clean()
        with transaction.atomic():
            term.save()
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), next(iter(error.message_dict), "")) from None
    except IntegrityError:  # added twice at the same moment
        return known.get()
    return term


def count_hits(user: User, source: str, target: str, hits: Sequence[GlossaryHit]) -> None:
    """Add to the counts of the terms that a kept translation met."""
    rows = access.glossary_terms(user).filter(source_language=source, target_language=target)
    met = {(hit.source, hit.target): hit.hits for hit in hits}
    for term in rows.filter(target__in=[hit.target for hit in hits]):
        count = met.get((term.source.lower(), term.target))  # not by the database: SQLite's knows ASCII only
        if count:
            rows.filter(pk=term.pk).update(hits=F("hits") + count)
