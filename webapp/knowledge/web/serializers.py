"""Imports from the web as JSON."""

from __future__ import annotations

from rest_framework import serializers

from webapp.knowledge.web.models import AddressKind, AddressStatus, ImportedAddress, WebImport

MOST_PROBLEMS = 500


class NewImportSerializer(serializers.Serializer):
    """What is to be fetched."""

    collection = serializers.UUIDField()
    url = serializers.CharField(max_length=2000, help_text="of a page or a sitemap; https:// may be left out")
    sitemap = serializers.BooleanField(default=False, help_text="it must be one; otherwise that is recognised")


class ImportedAddressSerializer(serializers.ModelSerializer):
    url = serializers.CharField(source="address")

    class Meta:
        model = ImportedAddress
        fields = ["url", "kind", "status", "reason", "document"]


class WebImportSerializer(serializers.ModelSerializer):
    url = serializers.CharField(source="address")
    sitemap = serializers.BooleanField(source="is_sitemap")
    pages = serializers.SerializerMethodField(help_text="how many pages there are of each status, and in all")
    document = serializers.SerializerMethodField(help_text="the id of the document, where it is one page")
    outcome = serializers.SerializerMethodField(help_text="what became of it, where it is one page")
    problems = serializers.SerializerMethodField(help_text="pages that failed or were left out, with the reason")

    class Meta:
        model = WebImport
        fields = ["id", "collection", "url", "sitemap", "status", "message", "pages", "outcome", "document",
                  "problems", "created_at", "updated_at"]

    def get_pages(self, web_import: WebImport) -> dict[str, int]:
        counts = dict.fromkeys((status for status in AddressStatus.values if status != AddressStatus.LISTED), 0)
        for row in self._rows(web_import):
            if row.kind != AddressKind.SITEMAP:
                counts[row.status] += 1
        return {"total": sum(counts.values()), **counts}

    def get_document(self, web_import: WebImport) -> str | None:
        row = self._only(web_import)
        return str(row.document_id) if row and row.document_id else None

    def get_outcome(self, web_import: WebImport) -> str | None:
        row = self._only(web_import)
        return row.status if row else None

    def get_problems(self, web_import: WebImport) -> list[dict]:
        wrong = [row for row in self._rows(web_import) if row.status in (AddressStatus.FAILED, AddressStatus.SKIPPED)]
        return ImportedAddressSerializer(wrong[:MOST_PROBLEMS], many=True).data

    def _rows(self, web_import: WebImport) -> list[ImportedAddress]:
        return list(web_import.addresses.all())  # prefetched

    def _only(self, web_import: WebImport) -> ImportedAddress | None:
        rows = self._rows(web_import)
        return rows[0] if len(rows) == 1 and not web_import.is_sitemap else None
