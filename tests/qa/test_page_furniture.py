"""What stands around a text on a page or in a mail is not what a summary of it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.structure import NOTHING_KNOWN
from qa.writing.page_furniture import Furniture
from qa.writing.sections import text_structure
from qa.writing.summary_sentences import telling_sentences, tidy


def telling(text: str) -> list[str]:
    return [text[start:end] for start, end in telling_sentences(text, text_structure(text))]


MAIL = """From: Maria Keller <m.keller@example.org>
Subject: Move of the archive to the new building

Dear all,

I hope this email finds you well. The archive on Bridge Street has to be empty by 31 January.
Please let me know if you have any questions.

Kind regards,
Maria

--
City Archive · Bridge Street 12 · 10115 Berlin
This e-mail and any attachments are confidential and may be legally privileged.

On Mon, 2 Nov 2026 at 17:40, Jon Smith <jon@example.org> wrote:
> Hi Maria,
> I counted the duplicates yesterday; there are about 600 boxes of them.
"""
ARTICLE = """Tardigrade
From Wikipedia, the free encyclopedia
Contents
1 Description of the animal
2 References

Tardigrades (water bears),[1] found in 1773 by the zoologist Goeze, are a phylum of eight-legged segmented animals.[3]
They are short and plump, with four pairs of legs.

Description of the animal[edit]
Main article: Tardigrade anatomy
Figure 1: An adult tardigrade under the electron microscope.
Figure 1 shows that the body has a barrel shape.

See also[edit]
- List of microorganisms tested in outer space
References[edit]
1. ^ Copley, Jon (23 October 1999). "Indestructible". New Scientist (2209). Retrieved 2010-02-06.
Guidetti, R.; Bertolani, R. (2005). "Tardigrade taxonomy: a check list of the taxa and their characters". Zootaxa.

This page was last edited on 1 November 2026, at 12:03.
© 2026 The authors. All rights reserved.
"""
NEWS = """首页 > 科技 > 正文

新型电池可在十分钟内充满电
来源：科技日报  作者：王小明  2026年10月30日

图为研究人员在实验室测试新型电池。

清华大学的研究团队宣布，他们研制出一种新型锂电池。这种电池的负极使用了一种多孔的碳材料。

（责任编辑：张三）

相关阅读：
固态电池离我们还有多远
版权声明：本网站转载的文章与本站无关。未经授权，不得转载。
"""


@pytest.mark.parametrize(("text", "said"), [
    (MAIL, ["The archive on Bridge Street has to be empty by 31 January.",
            "I counted the duplicates yesterday; there are about 600 boxes of them."]),
    (ARTICLE, ["Tardigrades (water bears),[1] found in 1773 by the zoologist Goeze, are a phylum of eight-legged "
               "segmented animals.[3]", "They are short and plump, with four pairs of legs.",
               "Figure 1 shows that the body has a barrel shape."]),
    (NEWS, ["清华大学的研究团队宣布，他们研制出一种新型锂电池。", "这种电池的负极使用了一种多孔的碳材料。"]),
    ("Turn the heap once a week.\n\n[Start page](/a) [The other page](/b)\n\nhttps://example.org/a\n\n"
     "Click here to subscribe to our newsletter!", ["Turn the heap once a week."]),
    ("1\n00:00:01,000 --> 00:00:04,000\nToday we talk about compost.\n", ["Today we talk about compost."]),
])
def test_a_summary_is_made_of_the_text_itself(text: str, said: list[str]):
    assert telling(text) == said


def test_a_list_is_what_it_says_and_a_text_of_nothing_but_furniture_too():
    shopping = "Bring these things to the camp:\n- a warm jacket and a hat\n- a torch with two batteries\n"
    assert telling(shopping) == ["Bring these things to the camp:", "a warm jacket and a hat",
                                 "a torch with two batteries"]
    assert telling("Click here to subscribe.") == ["Click here to subscribe."]


def test_marks_of_footnotes_are_left_out_of_what_is_shown_and_places_in_a_list_are_not():
    assert tidy("Water bears,[1] or moss piglets,[2][3] live in\nmoss.[12]") == (
        "Water bears, or moss piglets, live in moss.")
    assert tidy("The value of a[1] is 3.") == "The value of a[1] is 3."


@pytest.mark.parametrize("piece", [
    "www.", "[](", "[]()", "!", "](", "a > ", " · ", "https://", "On x ", "[1] ", "^", "--\n",
])
@pytest.mark.timeout(60)
def test_hard_texts_are_read_in_time(piece: str):
    text = piece * 20_000 + "x"
    furniture = Furniture(text, NOTHING_KNOWN)
    for start in range(0, len(text), 997):
        furniture.holds(start, len(text))


@given(st.lists(st.sampled_from([
    "References\n", "A line.\n", "Word " * 30 + "ends.\n", "\r", "\u2028", "--\n", "目录\r\n",
])))
def test_what_closes_a_text_is_found_in_any_order_of_lines(lines: list[str]):
    text = "".join(lines)
    furniture = Furniture(text, NOTHING_KNOWN)
    at = text.find("References\n")
    if at >= 0 and text[:at][-1:] in ("", "\n"):
        assert furniture.holds(at, at + 10)
    assert not furniture.holds(0, 0) or text.startswith(("References", "--", "目录"))


def test_how_words_look_is_left_out_of_what_is_shown():
    assert tidy("Turn on **Automatic backup**, see\n[Storage](/storage).") == "Turn on Automatic backup, see Storage."
    assert tidy("<i>Compost needs air.</i>") == "Compost needs air."
    assert tidy("2 ** 3 ** 2 is 512, and a[0](x) is called.") == "2 ** 3 ** 2 is 512, and a[0](x) is called."
