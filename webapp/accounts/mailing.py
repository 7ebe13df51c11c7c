"""The mail with a link for a new password."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.mail import send_mail
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from webapp.accounts import one_time_links
from webapp.accounts.models import OneTimeLink, User

log = logging.getLogger(__name__)

NOT_AGAIN_WITHIN = timedelta(minutes=5)
"""Nobody's mailbox is filled by someone else who presses the button."""


def send_password_link(request: HttpRequest, name: str) -> None:
    """To the active account of this user name or e-mail address, if there is one and its address is known."""
    name = name.strip()
    found = User.objects.filter(username=name).first() or User.objects.filter(email__iexact=name).first()
    if found is None or not found.is_active or not found.email or found.is_guest:
        return
    if OneTimeLink.objects.filter(user=found, created_at__gt=timezone.now() - NOT_AGAIN_WITHIN).exists():
        return
    _row, token = one_time_links.offer_new_password(found, None)
    address = request.build_absolute_uri(reverse("new-password", args=[token]))
    with translation.override(found.language or translation.get_language()):
        subject = _("A new password for Wenda")
        text = _("Someone, most likely you, asked for a new password for %(name)s. Set it here within a day:\n\n"
                 "%(address)s\n\nIf it was not you, you need do nothing.")
        text %= {"name": found.username, "address": address}
    try:
        send_mail(subject, text, None, [found.email])
    except OSError as error:  # smtplib's errors are of this kind
        log.error("a link for a new password could not be mailed: %s", error)
