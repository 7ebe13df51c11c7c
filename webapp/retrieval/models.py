"""What people said of passages that a search found."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from webapp.knowledge.models import Collection, Document


class Mark(models.Model):
    """A passage is the right one for a question, or is not. Kept by its place, so that it outlives a new cutting."""

    question = models.CharField(max_length=2000)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="marks")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="marks")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    is_right = models.BooleanField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["question", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["question", "document", "start", "end"], name="one_mark_per_passage"),
        ]

    def __str__(self) -> str:
        return f"{self.question} · {self.document_id} {self.start}-{self.end}"
