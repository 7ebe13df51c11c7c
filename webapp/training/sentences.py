"""What is wrong with a data file or one of its rows, as a sentence in the reader's language that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


def file_refused(code: str, values: Mapping[str, Any], name: str) -> str:
    told = {
        "empty": _("%(name)s is empty."),
        "no_text": _("%(name)s is not text in a known encoding. Save it as UTF-8 and upload it again."),
        "bad_gzip": _("%(name)s is a damaged gzip file. Pack it again."),
        "cut_gzip": _("%(name)s is a gzip file that ends too early. Copy it again, whole."),
        "too_large": _("%(name)s is larger than %(limit)s MB when it is unpacked. Split it."),
        "unknown_format": _("%(name)s is neither JSON nor JSON Lines nor a CSV file with the ending .csv."),
        "not_json": _("%(name)s is not valid JSON: %(why)s."),
        "no_columns": _("%(name)s needs a first line with the names of its columns, two at least."),
        "bad_parquet": _("%(name)s cannot be read as Parquet: %(why)s."),
        "bad_csv": _("%(name)s cannot be read as CSV: %(why)s."),
    }[code]
    return told % {"name": name, **values}


def problem(one: Mapping[str, Any]) -> str:
    """Of a row: where, what, and the mend."""
    where = (_("Row %(row)s, %(field)s:") if one["field"] else _("Row %(row)s:")) % one
    return f"{where} {what(one['code']) % {'detail': one['detail']}}"


def what(code: str) -> str:
    return {
        "not_json": _("not JSON (%(detail)s). Mend or remove the line."),
        "no_object": _("not an object with named fields. Write it as {\"field\": …}."),
        "missing": _("the field is missing. Add it."),
        "no_text": _("not a text: %(detail)s. Write it in quotes."),
        "empty": _("empty. Fill it in or remove the row."),
        "too_long": _("%(detail)s characters are too many. Split the text."),
        "broken_characters": _("half a character, which no encoding can hold. Write the text anew."),
        "duplicate": _("the same as row %(detail)s; it is kept once."),
        "not_in_text": _("the answer “%(detail)s” does not stand in the context. Copy it from there, letter by "
                         "letter."),
        "moved": _("the answer was not at its place; mended (%(detail)s)."),
        "no_answers": _("not a list of answers: %(detail)s. Write [{\"text\": …, \"answer_start\": …}]."),
        "no_languages": _("two languages are needed, as in {\"en\": …, \"de\": …}; there is: %(detail)s."),
        "no_messages": _("not a list of messages. Write [{\"role\": \"user\", \"content\": …}, …]."),
        "no_role": _("the role is “%(detail)s”; it must be system, user or assistant."),
        "no_assistant": _("no message is the assistant's, so there is nothing to learn."),
        "no_label": _("not a label: %(detail)s. Write a word or a whole number, up to 100 characters."),
        "no_entities": _("not a list of entities: %(detail)s. Write [{\"start\": …, \"end\": …, \"label\": …}]."),
        "overlapping": _("“%(detail)s” stands in two entities. Keep one of them."),
        "no_place": _("not a place in the text: %(detail)s. Count its characters from 0."),
        "no_words": _("not a list of words: %(detail)s. Write [\"…\", \"…\"]."),
        "other_number": _("as many tags as tokens are needed; there are %(detail)s."),
        "other_label": _("the same text has another label in row %(detail)s. Say which one is right."),
        "same_as_chosen": _("both answers are the same: “%(detail)s”. Write the worse one, or remove the row."),
        "no_common_prefix": _("the two conversations differ before their last message. Write the same one before "
                              "both answers."),
        "other_prompt": _("the conversation does not end with the question “%(detail)s”. Write it the same, or leave "
                          "out the prompt."),
        "no_question": _("the last message before the answers is of the role “%(detail)s”. End with what the user "
                         "says."),
        "no_answer": _("the last message is of the role “%(detail)s”; it must be the assistant’s answer."),
        "right_and_wrong": _("the right passage was also among the wrong ones; taken out of them (%(detail)s)."),
    }[code]


def heading(code: str) -> str:
    """The problem in a word or two, for a table of counts."""
    return {
        "not_json": _("Not JSON"), "no_object": _("Not an object"), "missing": _("Field missing"),
        "no_text": _("Not a text"), "empty": _("Empty"), "too_long": _("Too long"),
        "broken_characters": _("Broken characters"), "duplicate": _("Duplicate"),
        "not_in_text": _("Answer not in the context"), "moved": _("Answer's place mended"),
        "no_answers": _("No list of answers"), "no_languages": _("Fewer than two languages"),
        "no_messages": _("No list of messages"), "no_role": _("Unknown role"),
        "no_assistant": _("No assistant's turn"), "no_label": _("Not a label"),
        "other_label": _("Another label for the same text"), "no_entities": _("No list of entities"),
        "overlapping": _("Entities overlap"), "no_place": _("Not a place in the text"),
        "no_words": _("No list of words"), "other_number": _("Not as many tags as tokens"),
        "same_as_chosen": _("Two answers that are the same"), "no_common_prefix": _("No common conversation"),
        "other_prompt": _("Another question"), "no_question": _("Does not end with the user"),
        "no_answer": _("Does not end with an answer"),
        "right_and_wrong": _("Right passage among the wrong ones"),
    }[code]
