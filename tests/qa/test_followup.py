"""Follow-up questions are completed with what the conversation is about; others are left alone."""

from __future__ import annotations

import pytest

from qa.followup import Turn, complete

TOWER = [Turn("Who designed the Eiffel Tower?", "It was designed by Gustave Eiffel.", "Gustave Eiffel")]
FRESH = [Turn("How large a file can be uploaded?", "At most 50 MB.", "50 MB")]
CHINESE = [Turn("埃菲尔铁塔是谁设计的？", "", "")]


@pytest.mark.parametrize(
    ("question", "history", "completed"),
    [
        ("and when was it built?", TOWER, "Eiffel Tower: when was it built?"),
        ("How tall is it?", TOWER, "Eiffel Tower: How tall is it?"),
        ("What about its height?", TOWER, "Eiffel Tower: its height?"),
        ("When was he born?", TOWER, "Gustave Eiffel: When was he born?"),
        ("Why?", TOWER, "Why? Who designed the Eiffel Tower?"),
        ("Can I change it?", FRESH, "file uploaded: Can I change it?"),
        ("How many people live there?", [Turn("Which city hosts the museum?", "", "Paris")],
         "Paris: How many people live there?"),
        ("and the Louvre?", TOWER, "Who designed the Louvre?"),
        ("What about Tower Bridge?", [Turn("Eiffel Tower: How tall is it?", "")], "Tower Bridge: How tall is it?"),
        ("那卢浮宫呢？", CHINESE, "卢浮宫是谁设计的？"),
        ("它有多高？", CHINESE, "埃菲尔铁塔，它有多高？"),
        ("那什么时候建成的呢？", CHINESE, "埃菲尔铁塔，什么时候建成的呢？"),
    ],
)
def test_a_follow_up_is_completed(question, history, completed):
    assert complete(question, history) == completed


@pytest.mark.parametrize(
    "question",
    [
        "When was the Louvre opened?",
        "What is tokenization?",
        "Is there a limit?",
        "Where is the painting that hangs in the hall?",
        "What does FAISS do?",
        "上传文件的大小限制是多少？",
    ],
)
def test_a_question_that_stands_by_itself_is_left_alone(question):
    assert complete(question, TOWER) == question


def test_the_first_question_of_a_conversation_is_left_alone():
    assert complete("and when was it built?", []) == "and when was it built?"


def test_the_subject_goes_on_through_several_follow_ups():
    first = complete("and when was it built?", TOWER)
    second = complete("How tall is it?", [*TOWER, Turn(first, "In 1889.", "1889")])
    assert second == "Eiffel Tower: How tall is it?"
