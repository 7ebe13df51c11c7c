"""The rows of summarizing and translating, each noun's in a file of its own."""

from webapp.writing.summary_models import SummarizedText, Summary, SummaryStatus
from webapp.writing.translation_models import (
    FileStatus,
    GlossaryTerm,
    Translation,
    TranslationBatch,
    TranslationFile,
)

__all__ = [
    "FileStatus", "GlossaryTerm", "SummarizedText", "Summary", "SummaryStatus", "Translation", "TranslationBatch",
    "TranslationFile",
]
