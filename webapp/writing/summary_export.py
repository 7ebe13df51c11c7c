"""The summaries of a text as a Markdown file to keep."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.writing.summary_models import SummarizedText, Summary, SummaryStatus


def as_markdown(source: SummarizedText) -> str:
    """Each finished summary with where its sentences stand, then the sections where there are some."""
    parts = [f"# {_one_line(source.title)}"]
    finished = [summary for summary in source.summaries.all() if summary.status == SummaryStatus.DONE]
    for summary in finished:
        parts += _summary(summary)
    if not finished:
        parts.append(_("There is no finished summary of this text yet."))
    return "\n\n".join(parts) + "\n"


def _summary(summary: Summary) -> list[str]:
    done = summary.payload
    words = ngettext("%(count)s word", "%(count)s words", done["words"]) % {"count": done["words"]}
    parts = ["## " + _("Summary") + f" ({words})", done["summary"]]
    cited = [sentence for sentence in done["sentences"] if sentence["start"] is not None]
    if cited:
        parts += ["### " + _("Where it stands"), "\n".join(f"- {_place(sentence)}" for sentence in cited)]
    if done["sections"]:
        parts.append("### " + _("Sections"))
        parts += [f"#### {_one_line(_name(number, section))}\n\n{section['summary']}"
                  for number, section in enumerate(done["sections"], start=1)]
    return parts


def _name(number: int, section: dict[str, Any]) -> str:
    title = section["title"] or _("Part %(number)s") % {"number": number}
    first, last = section["first_page"], section["last_page"]
    if not first:
        return title
    return f"{title} ({_('p. %(page)s') % {'page': first if first == last else f'{first}–{last}'}})"


def _place(sentence: dict[str, Any]) -> str:
    page = _("p. %(page)s") % {"page": sentence["page"]} + ", " if sentence["page"] else ""
    return f"“{_one_line(sentence['text'])}” ({page}{sentence['start']}–{sentence['end']})"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def file_name(source: SummarizedText) -> str:
    words = re.sub(r"[^\w]+", "-", source.title).strip("-")[:60]
    return f"{words or 'summary'}.md"
