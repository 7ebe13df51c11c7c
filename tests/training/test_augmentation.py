"""Changed copies of training examples: seeded, counted, told with examples, and none of what is measured on."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from models_service.formats.labelled import LabelledText
from models_service.training.augmentation import STEPS, augmented, spelling_noise, token_dropout
from models_service.training.classification import ClassificationTask
from models_service.training.qa import QaTask
from models_service.training.run_folder import RunFolder
from models_service.training.settings import QaSettings
from models_service.training.settings_classification import ClassificationSettings

TEXT = "The river rises in the mountains and runs through several countries before it reaches the distant sea today."
ROWS = [LabelledText(str(number), f"{TEXT} {number}", "a") for number in range(40)]


def made(shares: dict[str, float], folder: Path, seed: int = 1) -> list[LabelledText]:
    return augmented(ROWS, shares, seed, RunFolder(folder), text_of=lambda row: row.text,
                     with_text=lambda row, text: replace(row, text=text))


@pytest.mark.parametrize("seed", range(20))
def test_a_tenth_of_the_words_is_left_out_or_misspelt_and_the_rest_stays(seed: int) -> None:
    words = TEXT.split()
    left = token_dropout(TEXT, random.Random(seed)).split()
    assert len(left) == len(words) - 2 and SequenceMatcher(None, words, left).ratio() > 0.9
    spelt = spelling_noise(TEXT, random.Random(seed))
    changed = [(a, b) for a, b in zip(words, spelt.split(), strict=True) if a != b]
    assert len(changed) <= 1 and all(a[0] == b[0] and abs(len(a) - len(b)) <= 1 for a, b in changed)


def test_characters_are_the_words_of_chinese_and_what_has_one_word_stays_as_it_is() -> None:
    assert len(token_dropout("这座桥于去年十月开通", random.Random(1))) == 9
    assert token_dropout("Oslo", random.Random(1)) == "Oslo"
    assert spelling_noise("桥 on it", random.Random(1)) == "桥 on it"


def test_copies_are_added_told_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    shares = {"token_dropout": 0.5, "spelling_noise": 0.25}
    rows = made(shares, tmp_path / "a")
    assert rows[:40] == ROWS and rows == made(shares, tmp_path / "b") != made(shares, tmp_path / "c", seed=2)
    assert {row.label for row in rows} == {"a"}
    events = [json.loads(line) for line in (tmp_path / "a" / "events.jsonl").read_text().splitlines()]
    first, second = events[-1]["result"]["augmented"]
    assert (first["name"], first["before"], first["after"]) == ("token_dropout", 40, 60)
    assert second["before"] == 60 and second["after"] == len(rows) <= 70
    assert all(given != changed for step in (first, second) for given, changed in step["examples"])
    assert "40 examples before, 60 after" in (tmp_path / "a" / "log.txt").read_text()
    assert made(dict.fromkeys(STEPS, 0.0), tmp_path / "d") == ROWS
    assert not (tmp_path / "d" / "events.jsonl").exists()


def test_classifiers_and_readers_learn_from_them(small_base: Path, squad_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(json.dumps({"text": f"{TEXT} {n}", "label": "ab"[n % 2]}) for n in range(40)))
    common = {"base": str(small_base), "epochs": 1, "token_dropout": 0.5}
    settings = ClassificationSettings(data=[file], evaluation=file, **common)
    task = ClassificationTask(settings, RunFolder(tmp_path / "c"))
    assert sum(map(len, task.batches)) == 60 and len(task._held_out) == 40
    plain, more = (QaTask(QaSettings(data=[squad_file], unanswerable_share=0, max_length=64, stride=16,
                                     **{**common, "token_dropout": share}), RunFolder(tmp_path / str(share)))
                   for share in (0.0, 0.5))
    assert len(more._all) == 1.5 * len(plain._all)
