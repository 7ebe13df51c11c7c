"""Tells a person, in their language, that a stored file cannot be decrypted."""

from __future__ import annotations

import logging

from django.utils.translation import gettext as _

from models_service.sealed.errors import KeyMissing, SealedError
from webapp.errors import SiteError

log = logging.getLogger(__name__)


class CannotBeOpened(SiteError):
    """Only whoever runs the site can help."""

    code = "unavailable"
    status = 503


def cannot_be_opened(error: SealedError) -> CannotBeOpened:
    log.error("%s", error)
    if isinstance(error, KeyMissing):
        return CannotBeOpened(
            _("This file is encrypted with the key %(key)s, which the site does not have now. Whoever runs the site "
              "has to add it to WENDA_ENCRYPTION_KEY.") % {"key": error.key_id})
    return CannotBeOpened(_("This file is damaged on the disk of the site. It has to be put back from a backup, or "
                            "added anew."))
