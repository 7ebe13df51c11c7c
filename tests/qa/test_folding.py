"""Near-duplicate passages are found once and named; what differs in a number never is one."""

from __future__ import annotations

from qa.folding import folded
from qa.index import IndexedDocument
from qa.index_database import IndexedPassage
from qa.retrieve import RetrievedPassage

TEXT = "The lighthouse at Cape Sorrow was built from granite by the harbour company and lit by oil lamps until 1931."


def found(identifier: int, text: str) -> RetrievedPassage:
    document = IndexedDocument(f"d{identifier}", f"Document {identifier}", "text/plain")
    passage = IndexedPassage(identifier, document, 0, len(text), text)
    return RetrievedPassage("c", passage, 1 / identifier, None, None, None, None)


def test_a_copy_with_other_spaces_and_capitals_is_folded_into_the_better_one():
    first, other = folded([found(1, TEXT), found(2, TEXT.upper().replace(" ", "  ")), found(3, "A reef of coral.")])
    assert first.passage.id == 1 and [place.document for place in first.also_in] == ["d2"]
    assert other.passage.id == 3 and other.also_in == ()


def test_another_number_is_another_passage():
    assert len(folded([found(1, TEXT), found(2, TEXT.replace("1931", "1941"))])) == 2


def test_passages_that_share_a_sentence_only_are_two():
    assert len(folded([found(1, TEXT), found(2, f"{TEXT} The keeper lived beside it with a dog called Anker.")])) == 2


def test_short_passages_are_folded_only_when_they_are_equal():
    assert len(folded([found(1, "The red door."), found(2, "The red door!"), found(3, "The green door.")])) == 2
