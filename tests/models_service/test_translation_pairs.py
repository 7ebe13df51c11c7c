"""Which languages a translator offers: told, or read from its name, in the manner of its family; else refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_service.model_files import ModelUnusable, kind_of
from models_service.translation_pairs import pairs_of, tell_pairs

FAMILIES = {
    "marian": {
        "config.json": {"model_type": "marian", "architectures": ["MarianMTModel"]}, "vocab.json": {"</s>": 0},
    },
    "many targets": {
        "config.json": {"model_type": "marian", "architectures": ["MarianMTModel"]},
        "vocab.json": {"</s>": 0, ">>fra<<": 1, ">>es<<": 2, ">>cmn_Hans<<": 3},
    },
    "m2m100": {"config.json": {"model_type": "m2m_100", "architectures": ["M2M100ForConditionalGeneration"]}},
    "nllb": {
        "config.json": {"model_type": "m2m_100", "architectures": ["M2M100ForConditionalGeneration"]},
        "tokenizer_config.json": {"tokenizer_class": "NllbTokenizer"},
    },
    "mbart": {"config.json": {"model_type": "mbart", "architectures": ["MBartForConditionalGeneration"]}},
    "t5": {"config.json": {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}},
    "bart": {"config.json": {"model_type": "bart", "architectures": ["BartForConditionalGeneration"]}},
}


@pytest.fixture
def family(tmp_path: Path):
    def make(name: str) -> Path:
        for file, values in FAMILIES[name].items():
            (tmp_path / file).write_text(json.dumps(values))
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("name", "tag", "begin"),
    [
        ("marian", "", ""), ("many targets", ">>fra<<", ""), ("m2m100", "__en__", "__fr__"),
        ("nllb", "eng_Latn", "fra_Latn"), ("mbart", "en_XX", "fr_XX"), ("t5", "translate English to French: ", ""),
    ],
)
def test_each_family_is_told_the_languages_in_its_own_way(family, name: str, tag: str, begin: str) -> None:
    folder = family(name)
    tell_pairs(folder, ["en-fr"], ["mine"])
    [pair] = pairs_of(folder)
    assert (pair.source, pair.target, pair.tag, pair.begin) == ("en", "fr", tag, begin)
    assert kind_of(folder) == "translator", "it says so from now on"


def test_a_pair_is_read_from_the_name_of_the_model_or_of_where_it_came_from(family) -> None:
    folder = family("marian")
    tell_pairs(folder, [], ["mine", "opus-mt-en-de"])
    assert [(pair.source, pair.target) for pair in pairs_of(folder)] == [("en", "de")]
    (folder / "translator.json").unlink()
    (folder / "card.json").write_text('{"source": "Helsinki-NLP/opus-mt-de-en"}')
    tell_pairs(folder, [], ["mine"])
    assert [(pair.source, pair.target) for pair in pairs_of(folder)] == [("de", "en")]


def test_what_the_folder_says_stays_unless_something_else_is_told(family) -> None:
    folder = family("many targets")
    tell_pairs(folder, ["en-fr", "en-zh", "en-fr"], ["mine"])
    tell_pairs(folder, [], ["mine"])
    assert [pair.tag for pair in pairs_of(folder)] == [">>fra<<", ">>cmn_Hans<<"]
    tell_pairs(folder, ["en-es"], ["mine"])
    assert [pair.tag for pair in pairs_of(folder)] == [">>es<<"]


@pytest.mark.parametrize(
    ("name", "told", "complaint"),
    [
        ("marian", [], "does not say which languages it translates: name each direction with --pair"),
        ("marian", ["english-german"], "write two codes, as in en-de"),
        ("marian", ["en-en"], "is no pair of languages"),
        ("many targets", ["en-pt"], "no tag for pt; it has: >>cmn_Hans<<, >>es<<, >>fra<<"),
        ("nllb", ["en-tlh"], "'tlh' is not known here"),
        ("mbart", ["en-da"], "does not know both en and da"),
        ("bart", ["en-fr"], "as translators Marian .* are served"),
    ],
)
def test_what_cannot_be_told_is_said(family, name: str, told: list[str], complaint: str) -> None:
    with pytest.raises(ModelUnusable, match=complaint):
        tell_pairs(family(name), told, ["mine"])


def test_a_model_that_may_do_anything_is_asked_for_its_languages(family) -> None:
    with pytest.raises(ModelUnusable, match="If it translates, name each direction with --pair"):
        kind_of(family("t5"))


def test_a_broken_record_of_the_languages_is_refused(family) -> None:
    folder = family("marian")
    (folder / "translator.json").write_text('{"pairs": [{"source": "English"}]}')
    with pytest.raises(ModelUnusable, match="translator.json cannot be read"):
        pairs_of(folder)
