"""The rows of summarizing and translating, each noun's in a file of its own."""

from webapp.writing.translation_models import (
    FileStatus,
    GlossaryTerm,
    Translation,
    TranslationBatch,
    TranslationFile,
)

__all__ = ["FileStatus", "GlossaryTerm", "Translation", "TranslationBatch", "TranslationFile"]
