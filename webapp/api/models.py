"""What a program was answered to a request that it may send again."""

from __future__ import annotations

from django.db import models

from webapp.accounts.models import User


class KeptAnswer(models.Model):
    """The answer to the request with this Idempotency-Key; `status` is empty while it is being made."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    key = models.CharField(max_length=64, help_text="its SHA-256")
    request = models.CharField(max_length=64, help_text="the SHA-256 of what was asked")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_a_key")]
