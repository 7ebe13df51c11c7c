"""The bar below which an answer is withheld: moved by an administrator, seen by the next question, written down."""

from __future__ import annotations

import pytest

from qa import confidence
from qa.quote import ABSTAIN_BELOW
from webapp.audit.models import Action, Entry
from webapp.chat import abstention
from webapp.chat.models import Conversation, Feedback, Message, MessageRole
from webapp.errors import BadInput

pytestmark = pytest.mark.django_db


def told(owner, sure: float, helpful: bool | None = None, method: str = "reader") -> None:
    conversation, _ = Conversation.objects.get_or_create(owner=owner)
    answer = Message.objects.create(
        conversation=conversation, role=MessageRole.ANSWER, key=f"{Message.objects.count()}",
        payload={"confidence": sure, "abstained": False, "verification": {"method": method}})
    if helpful is not None:
        Feedback.objects.create(message=answer, user=owner, helpful=helpful)


def test_the_bar_is_the_usual_one_until_it_is_moved(admin) -> None:
    assert abstention.bar() == ABSTAIN_BELOW
    abstention.set_bar(0.6, admin)
    abstention.set_bar(0.35, admin)
    assert abstention.bar() == 0.35
    assert [entry.subject for entry in Entry.objects.filter(action=Action.ABSTENTION_CHANGED)] == [
        "0.6 → 0.35", "0.2 → 0.6"]


@pytest.mark.parametrize("value", [-0.05, 1.0, 0.33, float("nan"), float("inf")])
def test_what_is_no_bar_moves_nothing(admin, value: float) -> None:
    with pytest.raises(BadInput, match="from 0 to 0.95"):
        abstention.set_bar(value, admin)
    assert abstention.bar() == ABSTAIN_BELOW


def test_recent_answers_are_counted_from_each_bar_on(alice) -> None:
    told(alice, 0.9, True)
    told(alice, 0.5, False)
    told(alice, 0.1)
    told(alice, 1.0, True, method="generator")  # its confidence is another thing
    counted = {each.bar: (each.answers, each.helpful, each.unhelpful) for each in abstention.recent()}
    assert (counted[0.0], counted[0.5], counted[0.55]) == ((3, 1, 1), (2, 1, 1), (1, 1, 0))


def test_the_page_shows_the_curve_of_the_reader_in_use_and_moves_the_bar(browser, admin) -> None:
    page = browser(admin)
    shown = page.get("/dashboard/abstention/").content.decode()
    figures = abstention.figures()[1]
    assert figures is not None, "the starter reader brings its figures"
    at_half = next(each for each in figures.bars if each.bar == 0.5)
    assert f"{at_half.coverage:.1%}" in shown and f"{at_half.precision:.1%}" in shown
    assert page.post("/dashboard/abstention/", {"bar": "0.5"}).status_code == 302
    assert abstention.bar() == 0.5
    refused = page.post("/dashboard/abstention/", {"bar": "most"})
    assert refused.status_code == 400 and "from 0 to 0.95" in refused.content.decode()


def test_a_reader_without_figures_says_so(browser, admin, monkeypatch) -> None:
    monkeypatch.setattr(confidence, "read", lambda folder: None)
    assert "was not measured" in browser(admin).get("/dashboard/abstention/").content.decode()


def test_programs_read_and_move_the_bar(program, admin, alice) -> None:
    client = program(admin)
    moved = client.put("/api/v1/abstention", {"bar": 0.75}, content_type="application/json")
    assert moved.status_code == 200 and moved.json()["bar"] == 0.75 == abstention.bar()
    assert [each["bar"] for each in moved.json()["measured"]] == list(confidence.BARS)
    for wrong in ({"bar": 0.51}, {"bar": "high"}, {}):
        assert client.put("/api/v1/abstention", wrong, content_type="application/json").status_code == 400
    assert program(alice).get("/api/v1/abstention").status_code == 403
    assert abstention.bar() == 0.75
