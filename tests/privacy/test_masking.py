"""What is masked in logs and data sets, what is not, and that a text keeps its length."""

from __future__ import annotations

import io
import logging
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp import masking
from webapp.masking import passes_luhn, without_personal_data, without_secrets

WORDS = st.text(string.ascii_letters + " .,;!?\n", max_size=40)
NAME = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z0-9]{1,8})?", fullmatch=True)
MAIL = st.builds("{}@{}.{}".format, NAME, st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True),
                 st.sampled_from(["org", "de", "com.cn"]))
DIGITS = st.text("0123456789", min_size=12, max_size=18)


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


@given(st.text())
def test_any_text_keeps_its_length_and_all_that_is_no_letter_or_digit(text):
    masked = without_personal_data(text)
    assert len(masked) == len(text)
    assert all(now == before or now in "x0" for before, now in zip(text, masked, strict=True))


@given(WORDS, MAIL, WORDS)
def test_a_mail_address_is_masked_wherever_it_stands(before, mail, after):
    assert mail not in without_personal_data(f"{before} {mail} {after}")


@given(WORDS.filter(lambda text: not any(letter.isdigit() for letter in text)))
def test_words_without_a_digit_or_an_at_sign_stay_as_they_are(text):
    assert without_personal_data(text) == text


@given(DIGITS, st.sampled_from(["", " ", "-"]))
def test_a_card_s_number_is_masked(digits, between):
    number = with_check_digit(digits)
    shown = between.join(number[at : at + 4] for at in range(0, len(number), 4))
    assert set(without_personal_data(f"card {shown}, thanks")[5 : 5 + len(shown)]) <= {"0", " ", "-"}


@pytest.mark.parametrize("number", [
    "+49 30 1234567", "+1 (555) 123-4567", "+86 138 0013 8000", "0049 30 1234567", "030 1234567", "0171/2345678",
    "555-123-4567", "(555) 123-4567", "13800138000",
])
def test_a_telephone_number_is_masked(number):
    masked = without_personal_data(f"Call {number} today.")
    assert not set(masked) & set("123456789")


@pytest.mark.parametrize("text", [
    "2026-11-25 04:32:17", "version 1.24.3", "127.0.0.1:8000", "pages 120-135", "1,234,567 rows", "3.14159265358979",
    "order 4111111111111112", "5b1c0e9a-4b40-4b25-965f-d5aa397c3ba3", "in 1821 and 1822",
])
def test_dates_versions_addresses_and_other_numbers_stay(text):
    assert without_personal_data(text) == text


@pytest.mark.parametrize(("line", "secret"), [
    ("Bad Request: /invited/Yf0pV2hJmZ/", "Yf0pV2hJmZ"), ("Not Found: /setup/Yf0pV2hJmZ", "Yf0pV2hJmZ"),
    ("/new-password/Yf0pV2hJmZ/ was opened", "Yf0pV2hJmZ"), ("Authorization: Bearer abc.def-123", "abc.def-123"),
    ("key wenda-0123456789abcdefghijABCDEFGHIJ", "0123456789abcdefghij"),
    ("postgresql://wenda:hunter2@db/wenda", "hunter2"), ("smtp://me%40x:hunter2@mail:587", "hunter2"),
    ('{"password": "hunter2"}', "hunter2"), ("?api_key=hunter2&q=1", "hunter2"),
    ('{"password": "a, b/c@hunter2"}', "hunter2"), ("smtp://me:a,b&hunter2@mail:587", "hunter2"),
])
def test_secrets_are_always_masked(line, secret):
    assert secret not in without_secrets(line) and "***" in without_secrets(line)


@pytest.mark.parametrize("line", ["Wenda is at http://127.0.0.1:8000", "the key wenda-reader is served", "/setup"])
def test_what_is_no_secret_stays(line):
    assert without_secrets(line) == line


@pytest.mark.parametrize("switch", [True, False])
def test_log_lines_and_their_tracebacks_are_masked_as_the_setting_says(settings, switch):
    settings.MASK_PERSONAL_DATA = switch
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(masking.MaskingFormatter("{message}", style="{"))
    log = logging.Logger("test")
    log.addHandler(handler)
    try:
        raise ValueError("alice@example.org at /invited/Yf0pV2hJmZ/")
    except ValueError:
        log.exception("mail to %s failed", "bob@example.org")
    assert "Yf0pV2hJmZ" not in out.getvalue()
    assert ("alice@example.org" in out.getvalue()) is ("bob@example.org" in out.getvalue()) is not switch


@pytest.mark.django_db
def test_corrections_are_masked_in_the_data_set_and_their_answers_stay_in_place(settings, alice, admin):
    from webapp.chat.models import Conversation, Feedback, Message
    from webapp.training import corrections

    settings.MASK_PERSONAL_DATA = True
    conversation = Conversation.objects.create(owner=alice)
    question = Message.objects.create(conversation=conversation, role="question", key="k", text="Is it a@b.org?")
    answer = Message.objects.create(conversation=conversation, role="answer", key="k", parent=question, text="No")
    feedback = Feedback.objects.create(message=answer, user=alice, helpful=False)
    context = "Write to bob.b@example.org, who knows."
    case = corrections.case(feedback, admin)
    made = corrections.correct(case, context, "bob.b@example.org", admin)
    row = corrections._row(case, made)
    (shown,) = row["answers"]
    assert row["context"] == "Write to xxx.x@xxxxxxx.xxx, who knows."
    assert row["context"][shown["answer_start"] :].startswith(shown["text"]) and "@" in shown["text"]
    assert "a@b.org" not in row["question"]
