"""What changes conversations, without anybody producing answers."""

from __future__ import annotations

import json

import pytest

from qa.answer import Turn
from webapp.chat import export, records, services
from webapp.chat.models import Conversation, Message, MessageStatus
from webapp.errors import BadInput, Busy, Conflict, NotFound

pytestmark = pytest.mark.django_db
CITATION = {
    "document": "d", "title": "Towers", "passage": 1, "start": 10, "end": 35, "quote": "It is 330\nmetres tall.",
    "span_start": 16, "span_end": 26, "score": 0.9, "url": "/documents/d/",
}


def asked(user, question: str = "How tall is it?", key: str = "", **more) -> services.Asked:
    return services.ask(user, key or f"key {question}"[:64], question, **more)


def answered(user, question: str, answer: str = "330 metres.", **more) -> services.Asked:
    made = asked(user, question, **more)
    payload = {"type": "done", "answer": answer, "span": answer[:3], "abstained": not answer, "confidence": 0.9,
               "question": question, "citations": [CITATION] if answer else [], "nearest": [CITATION]}
    Message.objects.filter(pk=made.answer.pk).update(status=MessageStatus.DONE, text=answer, payload=payload)
    made.answer.refresh_from_db()
    return made


def current(conversation: Conversation) -> list[str]:
    return [m.text for m in conversation.messages.filter(superseded=False) if m.role == "question"]


def test_a_first_question_makes_a_conversation_with_its_title(alice):
    made = asked(alice, "How tall\n  is the tower?")
    assert made.fresh
    assert made.question.conversation.title == "How tall is the tower?"
    assert (made.answer.parent, made.answer.status) == (made.question, "running")


def test_a_long_question_makes_a_title_that_is_cut(alice):
    title = asked(alice, "word " * 200).question.conversation.title
    assert len(title) == services.TITLE_CHARACTERS and title.endswith("…")


def test_an_edited_question_supersedes_what_came_after_it_and_keeps_it(alice):
    first = answered(alice, "one")
    conversation = first.question.conversation
    second = answered(alice, "two", conversation_id=str(conversation.pk))
    answered(alice, "three", conversation_id=str(conversation.pk))
    asked(alice, "two, better", replaces=second.question.pk)
    assert current(conversation) == ["one", "two, better"]
    assert conversation.messages.count() == 8


def test_editing_the_first_question_changes_the_title(alice):
    first = answered(alice, "one")
    asked(alice, "one, better", replaces=first.question.pk)
    assert Conversation.objects.get().title == "one, better"


def test_a_question_that_was_edited_meanwhile_cannot_be_edited_or_answered_again(alice):
    first = answered(alice, "one")
    asked(alice, "one, better", replaces=first.question.pk)
    with pytest.raises(Conflict):
        asked(alice, "one, best", replaces=first.question.pk)
    with pytest.raises(Conflict):
        services.regenerate(alice, "another-key", first.answer.pk)


def test_editing_stops_an_answer_that_is_still_in_the_making(alice):
    first = asked(alice, "one")
    asked(alice, "one, better", replaces=first.question.pk)
    first.answer.refresh_from_db()
    assert (first.answer.status, first.answer.superseded) == ("stopped", True)


def test_an_answer_made_again_supersedes_the_earlier_ones(alice):
    first = answered(alice, "one")
    again = services.regenerate(alice, "again-1234", first.answer.pk)
    assert again.fresh and again.question == first.question
    assert list(first.question.answers.values_list("superseded", flat=True)) == [True, False]
    assert not services.regenerate(alice, "again-1234", first.answer.pk).fresh
    assert first.question.answers.count() == 2


def test_the_same_key_gives_the_rows_that_were_made_first(alice, bob):
    first = asked(alice, "one", key="same-key")
    second = asked(alice, "one", key="same-key")
    assert (second.question, second.answer, second.fresh) == (first.question, first.answer, False)
    assert asked(bob, "one", key="same-key").fresh


def test_history_is_what_stands_before_the_question(alice):
    first = answered(alice, "one", "First.")
    at = {"conversation_id": str(first.question.conversation.pk)}
    edited = answered(alice, "two", "Second.", **at)
    better = answered(alice, "two, better", "Better.", replaces=edited.question.pk)
    unanswered = asked(alice, "three", **at)
    last = asked(alice, "four", **at)
    turns = records.history(last.question)
    assert turns == [Turn("one", "First.", "Fir"), Turn("two, better", "Better.", "Bet"), Turn("three", "", "")]
    assert records.history(better.question) == turns[:1]
    assert unanswered.answer.status == "running"


def test_one_person_may_have_four_answers_in_the_making(alice, bob):
    for number in range(services.MOST_AT_ONCE):
        asked(alice, f"question {number}")
    with pytest.raises(Busy):
        asked(alice, "one more")
    assert Message.objects.filter(text="one more").count() == 0
    asked(bob, "someone else's")


def test_conversations_are_found_by_all_their_words(alice, bob):
    answered(alice, "How tall is the Eiffel Tower?", "330 metres.")
    answered(alice, "金门大桥是什么颜色？", "国际橙。")
    answered(bob, "How tall is the Eiffel Tower?")
    def found(words: str) -> list[str]:
        return [c.title for c in services.conversations(alice, words)]
    assert found("eiffel METRES") == ["How tall is the Eiffel Tower?"]
    assert found("国际橙") == ["金门大桥是什么颜色？"]
    assert found("eiffel 国际橙") == []
    assert len(found("")) == 2


def test_a_superseded_question_is_not_found(alice):
    first = answered(alice, "about zebras")
    asked(alice, "about horses", replaces=first.question.pk)
    assert not services.conversations(alice, "zebras")


@pytest.mark.parametrize("title", ["", "  ", "x" * 201])
def test_a_title_has_to_be_one(alice, title):
    conversation = asked(alice).question.conversation
    with pytest.raises(BadInput):
        services.rename(conversation, title)
    conversation.refresh_from_db()
    assert conversation.title == "How tall is it?"


def test_a_renamed_conversation_keeps_its_place(alice):
    conversation = asked(alice).question.conversation
    before = conversation.updated_at
    services.rename(conversation, " Towers ")
    conversation.refresh_from_db()
    assert (conversation.title, conversation.updated_at) == ("Towers", before)


def test_the_last_judgement_of_an_answer_counts(alice):
    answer = answered(alice, "one").answer
    services.give_feedback(alice, answer.pk, True)
    feedback = services.give_feedback(alice, answer.pk, False, " The date is wrong. ")
    answer.refresh_from_db()
    assert answer.feedback == feedback
    assert (feedback.helpful, feedback.note) == (False, "The date is wrong.")


def test_only_ones_own_finished_answers_can_be_judged(alice, bob):
    made = answered(alice, "one")
    for identifier in (made.answer.pk, made.question.pk, 10**30):
        with pytest.raises(NotFound):
            services.give_feedback(bob, identifier, True)
    with pytest.raises(NotFound):
        services.give_feedback(alice, made.question.pk, True)
    with pytest.raises(Conflict):
        services.give_feedback(alice, asked(alice, "two").answer.pk, True)
    with pytest.raises(BadInput):
        services.give_feedback(alice, made.answer.pk, True, "x" * 2001)


def test_an_exported_conversation_shows_what_was_said_and_where_it_came_from(alice):
    first = answered(alice, "How tall?\nIn metres.", "It is 330 metres tall.")
    conversation = first.question.conversation
    answered(alice, "And how old?", "", conversation_id=str(conversation.pk))
    asked(alice, "Who made it?", conversation_id=str(conversation.pk))
    text = export.as_markdown(conversation)
    assert text.startswith("# How tall? In metres.\n\n")
    assert "> How tall?\n> In metres.\n" in text
    assert "It is 330 metres tall." in text
    assert "1. “It is 330 metres tall.” (Towers, 10–35)" in text
    assert "do not hold an answer" in text and "still being written" in text


def test_an_export_for_programs_has_superseded_versions_too(alice):
    first = answered(alice, "one")
    asked(alice, "one, better", replaces=first.question.pk)
    data = json.loads(export.as_json(first.question.conversation))
    assert [(m["role"], m["superseded"]) for m in data["messages"]] == [
        ("question", True), ("answer", True), ("question", False), ("answer", False)
    ]
    assert data["messages"][1]["payload"]["citations"] == [CITATION]


@pytest.mark.parametrize("title, name", [("a/b: c?", "a-b-c.md"), ("../..", "conversation.md"), ("问答", "问答.md")])
def test_an_exported_file_has_a_name_that_any_system_takes(title, name):
    assert export.file_name(Conversation(title=title), "md") == name
