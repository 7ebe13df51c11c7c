"""The help pages, from which a new site answers its first questions, say what the product does, in both languages."""

from __future__ import annotations

import json
import re
import shlex
import sys
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError
from django.urls import Resolver404, resolve

from models_service.__main__ import main as models_service_main
from qa.documents import ENDINGS, parse
from qa.sentences import sentences
from webapp.settings.table import BY_NAME, TABLE

STARTER = Path(__file__).parents[2] / "webapp" / "knowledge" / "starter"
QUESTIONS = json.loads((Path(__file__).parents[1] / "data" / "help_questions.json").read_text(encoding="utf-8"))
LANGUAGES = ("en", "zh-hans")
PAGES = {language: {file.stem: file.read_text(encoding="utf-8") for file in sorted((STARTER / language).glob("*.md"))}
         for language in LANGUAGES}
SLUGS = sorted(PAGES["en"])
EXAMPLE_KEY = "WENDA_KEY"
"""A shell variable of the examples, not a setting."""

both_languages = pytest.mark.parametrize("language", LANGUAGES)
each_slug = pytest.mark.parametrize("slug", SLUGS)
_PLACES = "api/v1|collections|graph|account|help|summarize|translate|dashboard|healthz|readyz|metrics"
_ADDRESS = re.compile(rf"(?<![\w/.-])(?:http://127\.0\.0\.1:8000)?(/(?:{_PLACES})\b[\w/.-]*)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def _whole(language: str) -> str:
    return "\n\n".join(PAGES[language].values())


def _addresses(text: str) -> set[str]:
    return {address.rstrip(".") for address in _ADDRESS.findall(text)}


def _commands(text: str) -> set[str]:
    return set(re.findall(r"manage\.py ([a-z_]+)", text))


def _setting_names(text: str) -> set[str]:
    return set(re.findall(r"\b(?:WENDA_[A-Z_]+|DATABASE_URL|REDIS_URL|MODELS_SERVICE_URLS)\b", text)) - {EXAMPLE_KEY}


def _example_lines(text: str) -> list[list[str]]:
    """The example calls of manage.py, as the command's name and its arguments."""
    return [shlex.split(line) for line in re.findall(r"(?m)^\.venv/bin/python manage\.py (.+)$", text)]


@cache
def _parser(command: str) -> ArgumentParser:
    return load_command_class(get_commands()[command], command).create_parser("manage.py", command)


def _option_names(parser: ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings
        for inner in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            yield from _option_names(inner)


def test_both_languages_have_the_same_pages_and_at_least_twelve():
    assert sorted(PAGES["zh-hans"]) == SLUGS
    assert len(SLUGS) >= 12


@both_languages
@each_slug
def test_a_page_begins_with_its_title_and_can_be_read_in_as_a_document(language, slug):
    page = PAGES[language][slug]
    title = re.match(r"# (\S.*)\n\n", page)
    assert title
    assert parse(page.encode(), f"{slug}.md").title == title[1].replace("`", "")


@each_slug
def test_a_page_says_the_same_in_both_languages(slug):
    english, chinese = PAGES["en"][slug], PAGES["zh-hans"][slug]
    for facts in (_addresses, _commands, _setting_names, lambda text: set(_OPTION.findall(text)),
                  lambda text: len(re.findall(r"(?m)^#+ ", text))):
        assert facts(english) == facts(chinese)


@both_languages
def test_the_settings_page_names_every_setting(language):
    page = next(text for slug, text in PAGES[language].items() if slug.endswith("-settings"))
    assert _setting_names(page) == {setting.name for setting in TABLE}


@both_languages
def test_no_page_names_a_setting_that_does_not_exist(language):
    assert _setting_names(_whole(language)) <= {setting.name for setting in TABLE}


@both_languages
def test_the_stated_defaults_are_those_of_the_table(language):
    page = next(text for slug, text in PAGES[language].items() if slug.endswith("-settings"))
    stated = {"WENDA_HOST", "WENDA_PORT", "WENDA_UPLOAD_MB", "WENDA_TIME_ZONE", "WENDA_GUESTS", "WENDA_SIGN_UP"}
    for setting in TABLE:
        if setting.name in stated:
            section = next(part for part in re.split(r"(?m)^## ", page) if setting.name in part.split("\n")[0])
            assert setting.default in section.split("\n", 1)[1], setting.name


@both_languages
def test_the_documents_page_names_every_file_ending_that_is_read(language):
    page = next(text for slug, text in PAGES[language].items() if slug.endswith("-documents"))
    for ending in ENDINGS:
        assert re.search(rf"(?<!\w){re.escape(ending)}\b", page), ending


def test_the_limits_that_the_pages_state_are_those_of_the_code(settings):
    from models_service.protocol import MAX_QUESTION_CHARACTERS
    from models_service.protocol_translated_text import MAX_INTERACTIVE_CHARACTERS
    from qa.archive import MOST_FILES, MOST_UNPACKED_BYTES
    from qa.citing import MOST_CITATIONS
    from qa.graph import Limits
    from qa.graph_sparql import MOST_ROWS, SECONDS
    from qa.quote import ABSTAIN_BELOW, MOST_SENTENCES
    from qa.recognition import MOST_PIXELS
    from qa.writing.glossary import MAX_TERMS
    from qa.writing.sections import WHOLE_UP_TO
    from qa.writing.summarize import MAX_CHARACTERS
    from qa.writing.summary_length import LARGEST_SHARES, WORDS
    from qa.writing.written_summary import TOLD_CHARACTERS
    from webapp.api.paging import Pages
    from webapp.chat import answering, services
    from webapp.chat.models import Conversation
    from webapp.graph.browsing import A_PAGE
    from webapp.knowledge.models import Collection
    from webapp.ops.preflight import LEAST_FREE_BYTES
    from webapp.writing import translation_history, translation_sweep
    from webapp.writing.summaries import MOST_KEPT, MOST_RECOGNISED

    in_words = {3: ("three", "三"), 4: ("four", "四"), 5: ("five", "五")}
    (sentences_en, sentences_zh), (citations_en, citations_zh), (at_once_en, at_once_zh) = (
        in_words[limit] for limit in (MOST_SENTENCES, MOST_CITATIONS, services.MOST_AT_ONCE))
    name, title = (model._meta.get_field(field).max_length
                   for model, field in ((Collection, "name"), (Conversation, "title")))
    days, patience = settings.SESSION_COOKIE_AGE // 86_400, int(answering.PATIENCE_SECONDS)
    free, asked = LEAST_FREE_BYTES // 1_000_000, f"{MAX_QUESTION_CHARACTERS:,}"
    recognised = BY_NAME["WENDA_RECOGNISE_PAGES"].default
    assert MOST_RECOGNISED == 5
    typed = f"{MAX_INTERACTIVE_CHARACTERS:,}"
    assert timedelta(days=7) == translation_sweep.GUESTS_KEPT and "after seven days" in _whole("en")
    assert answering.ANSWER_SECONDS == 120 and "longer than two minutes" in _whole("en")
    for english, chinese in (
        (f"At most {recognised} pages of one document", f"一份文档最多识别 {recognised} 页"),
        (f"at most {MOST_PIXELS // 1_000_000} megapixels", f"最多 {MOST_PIXELS // 1_000_000} 百万像素"),
        ("at most five scanned pages", "最多识别五页扫描页面"),
        (f"A question may have up to {asked} characters", f"一个问题最多 {asked} 个字符"),
        (f"when the confidence is below {ABSTAIN_BELOW}", f"置信度低于 {ABSTAIN_BELOW}"),
        (f"may hold up to {MOST_FILES:,} files and unpack to at most {MOST_UNPACKED_BYTES // 1_000_000:,} MB",
         f"最多可以有 {MOST_FILES:,} 个文件，解压后最多 {MOST_UNPACKED_BYTES // 1_000_000:,} MB"),
        (f"up to {sentences_en} sentences", f"最多包含{sentences_zh}个句子"),
        (f"up to {citations_en} citations", f"最多有{citations_zh}条引用"),
        (f"up to {at_once_en} answers in the making", f"最多可以同时有{at_once_zh}个正在生成的回答"),
        (f"waits up to {patience} seconds", f"最多等待 {patience} 秒"),
        (f"up to {services.LONGEST_NOTE:,} characters", f"反馈备注最多 {services.LONGEST_NOTE:,} 个字符"),
        (f"collection name may have up to {name} characters", f"文档集名称最多 {name} 个字符"),
        (f"title of a conversation may have up to {title} characters", f"对话标题最多 {title} 个字符"),
        (f"Sessions last {days} days", f"会话有效期为 {days} 天"),
        (f"less than {free} MB of free disk space", f"可用空间不足 {free} MB"),
        (f"may have up to {MAX_CHARACTERS:,} characters", f"生成摘要的文本最多 {MAX_CHARACTERS:,} 个字符"),
        (f"short summary has about {WORDS['short']} words, a medium summary about {WORDS['medium']} words and a long "
         f"summary about {WORDS['long']} words",
         f"短摘要约 {WORDS['short']} 个英文词，中等摘要约 {WORDS['medium']} 个词，长摘要约 {WORDS['long']} 个词"),
        ("at most about {:.0%} of the words of its text, a medium one {:.0%} and a long one {:.0%}".format(
            *LARGEST_SHARES.values()),
         "短摘要最多约为原文字数的 {:.0%}，中等摘要为 {:.0%}，长摘要为 {:.0%}".format(*LARGEST_SHARES.values())),
        (f"text on the page may have up to {typed} characters", f"页面上的文字最多 {typed} 个字符"),
        (f"glossary may have up to {MAX_TERMS:,} terms", f"一个术语表最多 {MAX_TERMS:,} 条"),
        (f"last {translation_history.MOST_KEPT} translations", f"最近 {translation_history.MOST_KEPT} 次翻译"),
        (f"more than {WHOLE_UP_TO} sentences", f"超过 {WHOLE_UP_TO} 个句子"),
        (f"more than {TOLD_CHARACTERS:,} characters", f"超过 {TOLD_CHARACTERS:,} 个字符"),
        (f"newest {MOST_KEPT} texts", f"最近的 {MOST_KEPT} 篇文本"),
        (f"up to {Limits().most_triples:,} statements", f"最多可以有 {Limits().most_triples:,} 条陈述"),
        (f"stopped after {SECONDS:g} seconds, and at most {MOST_ROWS:,} rows",
         f"超过 {SECONDS:g} 秒即被中止，最多返回 {MOST_ROWS:,} 行"),
        (f"Facts come {A_PAGE} a page", f"陈述每页 {A_PAGE} 条"),
        (f"pages of {Pages.page_size} entries", f"每页 {Pages.page_size} 条"),
        (f"up to {Pages.max_page_size} entries", f"最多 {Pages.max_page_size} 条"),
    ):
        assert english in _whole("en")
        assert chinese in _whole("zh-hans")


@pytest.mark.parametrize("command", sorted(_commands(_whole("en"))))
def test_a_command_that_the_pages_mention_exists(command):
    assert command in get_commands()


@both_languages
def test_the_commands_take_the_options_of_the_examples(language):
    lines = _example_lines(_whole(language))
    assert {line[0] for line in lines} >= {"up", "ask", "ingest", "finetune", "evaluate", "apikey"}
    for command, *arguments in lines:
        try:
            _parser(command).parse_args(arguments)
        except CommandError as error:
            pytest.fail(f"manage.py {command} {shlex.join(arguments)}: {error}")


def test_every_option_that_the_pages_mention_is_one_of_a_mentioned_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["models_service", "--help"])
    with pytest.raises(SystemExit):
        models_service_main()
    known = set(_OPTION.findall(capsys.readouterr().out))
    known |= {name for command in _commands(_whole("en")) for name in _option_names(_parser(command))}
    own_lines = [line for line in _whole("en").split("\n") if "-m celery" not in line]
    assert set(_OPTION.findall("\n".join(own_lines))) <= known


@pytest.mark.parametrize("address", sorted(_addresses(_whole("en"))))
def test_an_address_that_the_pages_mention_exists(address):
    tried = [re.sub("[A-Z_]*ID", identifier, address) for identifier in (str(uuid.UUID(int=1)), "1")]
    assert any(_resolves(path) for path in tried)


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def test_there_are_questions_to_try_in_both_languages():
    counts = [sum(each["language"] == language for each in QUESTIONS) for language in LANGUAGES]
    assert counts[0] >= 15 and counts[1] >= 10
    assert len({each["question"] for each in QUESTIONS}) == len(QUESTIONS)


@pytest.mark.parametrize("asked", QUESTIONS, ids=lambda asked: asked["question"])
def test_a_single_sentence_of_the_pages_answers_each_question_to_try(asked):
    pages = PAGES[asked["language"]].values()
    assert any(asked["expected"] in page[start:end] for page in pages for start, end in sentences(page))
