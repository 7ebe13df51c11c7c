"""Which blocks a text of some format has."""

from __future__ import annotations

from qa.writing.blocks import Block, Format, paragraphs_of
from qa.writing.html_blocks import html_blocks
from qa.writing.markdown_blocks import markdown_blocks
from qa.writing.subtitles import cue_blocks


def blocks(text: str, format: Format) -> list[Block]:
    """In order, none overlapping."""
    if format == "markdown":
        return list(markdown_blocks(text))
    if format == "html":
        return html_blocks(text)
    if format == "srt":
        return cue_blocks(text)
    return paragraphs_of(text, Block(0, len(text)))
