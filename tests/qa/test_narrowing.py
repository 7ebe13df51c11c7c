"""Which words of a Chinese sentence answer: the stretches, what is seen of them, what is chosen and what is left."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models_service.protocol import SpanResult
from qa.narrowing import LONGEST_SENTENCE, fit, narrowed
from qa.narrowing.features import asked
from qa.narrowing.network import Network, network
from qa.narrowing.stretches import LONGEST, TIME, stretches

CHINESE = st.text(alphabet="桥建于年一九二〇的是，。（）《》「」“”、12 a·到由李白在\n\U0002a6d6", max_size=120)


def whole(text: str, score: float = 0.5, before: int = 0) -> SpanResult:
    return SpanResult(text=text, start=before, end=before + len(text), score=score)


@pytest.mark.parametrize(("question", "sentence", "answer"), [
    ("海湾大桥是哪一年建成的？", "海湾大桥于1973年建成，全长一千多米。", "1973年"),
    ("《红色灯塔》的作者是谁？", "《红色灯塔》的作者是张文远，出版于一九八五年。", "张文远"),
    ("这座灯塔位于什么地方？", "这座灯塔位于浙江省舟山市，由一位英国人设计。", "浙江省舟山市"),
    ("球场能容纳多少人？", "球场在2004年翻修，能容纳35,000人。", "35,000人"),
    ("他创作了哪部小说？", "他在上海创作了《夜航》，后来去了北京。", "夜航"),
])
def test_the_words_that_answer_are_cut_out_of_their_sentence(question: str, sentence: str, answer: str) -> None:
    [[found]] = narrowed(question, [[whole(sentence, before=7)]], 3)
    assert found.text == answer and found.score == 0.5
    assert (found.start, found.end) == (7 + sentence.index(answer), 7 + sentence.index(answer) + len(answer))


@pytest.mark.parametrize("question", [
    "海湾大桥建成了吗？", "海湾大桥", "橋はいつ完成しましたか？", "다리는 언제 완공되었나? 什么",
])
def test_a_question_of_which_it_cannot_be_seen_what_it_asks_for_changes_nothing(question: str) -> None:
    spans = [[whole("海湾大桥于1973年建成。")]]
    assert narrowed(question, spans, 3) == spans


def test_only_the_likeliest_are_cut_down_and_no_list_is() -> None:
    text = "海湾大桥于1973年建成。"
    long = whole("海湾大桥于1973年建成" * (LONGEST_SENTENCE // 10), 0.9)
    [first, second] = narrowed("海湾大桥是哪一年建成的？", [[whole(text, 0.4), whole(text, 0.2)], [long]], 2)
    assert [span.text for span in first] == ["1973年", text] and second == [long]


@given(CHINESE, CHINESE)
def test_whatever_the_texts_a_part_of_the_sentence_is_chosen_at_its_place(question: str, sentence: str) -> None:
    [[found]] = narrowed(f"{question}什么？", [[whole(sentence, before=3)]], 1)
    assert sentence[found.start - 3 : found.end - 3] == found.text
    assert len(found.text) <= LONGEST or found.text == sentence


@given(CHINESE)
def test_stretches_are_not_empty_and_begin_and_end_with_no_mark_that_separates(sentence: str) -> None:
    for start, end in stretches(asked("桥建于什么年？"), sentence).places:
        assert 0 <= start < end <= min(len(sentence), start + LONGEST)
        assert not set(sentence[start] + sentence[end - 1]) & set("，。、 \n")


@pytest.mark.parametrize(("text", "times"), [
    ("建于1973年10月30日。", ["1973年10月30日"]),
    ("1983年5月20日到1984年1月27日播出", ["1983年5月20日到1984年1月27日"]),
    ("十九世纪末的一九〇二年", ["十九世纪末", "一九〇二年"]),
    ("公元前221年统一", ["公元前221年"]),
    ("桥长三十米", []),
])
def test_times_are_found_whole(text: str, times: list[str]) -> None:
    assert [found.group() for found in TIME.finditer(text)] == times


@pytest.mark.parametrize(("question", "kind", "before", "after"), [
    ("桥是什么时候建成的？", "when", "桥是", "建成的"),
    ("有多少人？", "number", "有", "人"),
    ("谁建的桥", "who", "", "建的桥"),
    ("为什么要建桥？", "why", "", "要建桥"),
    ("他是哪位建筑师", "who", "他是", "建筑师"),
    ("它叫什么？ ", "what", "它叫", ""),
])
def test_what_is_asked_for_and_what_stands_around_it(question: str, kind: str, before: str, after: str) -> None:
    found = asked(question)
    assert found is not None and (found.kind, found.before, found.after) == (kind, before, after)


def test_the_networks_scores_are_those_of_the_network_that_was_trained() -> None:
    torch.manual_seed(0)
    nets = [torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1, bias=False))
            for _ in range(3)]
    rows = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    own = Network({"mean": np.full(5, 0.5, np.float32), "deviation": np.full(5, 2, np.float32),
                   "first": np.stack([net[0].weight.detach().numpy() for net in nets]),
                   "first_bias": np.stack([net[0].bias.detach().numpy() for net in nets]),
                   "last": np.stack([net[2].weight.detach().numpy()[0] for net in nets])})
    with torch.no_grad():
        inputs = torch.from_numpy((rows - 0.5) / 2)
        expected = torch.stack([torch.softmax(net(inputs).squeeze(-1), 0) for net in nets]).mean(0)
    assert own.scores(rows) == pytest.approx(expected.numpy(), rel=1e-4)


def test_it_learns_what_a_few_sentences_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "NETWORKS", 1)
    wanted = asked("它建于哪一年？")
    cases = []
    for number in range(24):
        text = f"它由工匠{number % 7}人在山上建造，建于{1900 + number}年，后来毁坏。"
        found = stretches(wanted, text)
        right = np.array([text[a:b] == f"{1900 + number}年" for a, b in found.places], np.float32)
        cases.append(fit.Case(number, 0.1, wanted.features(text, found), right, right))
    assert fit.cross_validated(cases)["em"] > 90


def test_the_shipped_weights_fit_what_is_seen() -> None:
    question = asked("它建于哪一年？")
    features = question.features("建于1900年。", stretches(question, "建于1900年。"))
    assert network().scores(features).shape == (len(features),)
