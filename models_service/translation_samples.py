"""Sample sentences for translators, and whether a translator still gives what it gave, in whatever form it computes.

A beam search is no smooth thing: with weights of 8 bits, two words of nearly equal chance may change places and the
rest of a sentence with them, though the model is the same. So texts are not compared. Two scores are, which move
little: that of the translation which was kept, scored anew; and that of the best translation found now, which must
not be worse. Weights, vocabulary, tags and search all have their part in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from pydantic import BaseModel

from models_service.model_files import TRANSLATOR_FILE, ModelUnusable
from models_service.translation_pairs import OfferedPair, pairs_of

SCORE_TOLERANCE = 0.08
"""How far the mean log-probability a token may move on average over the samples."""
ONE_TOLERANCE = 0.3
"""And of one sample. 8 bits move those of a small translator by 0.005 on average and by 0.01 at most; the weights of
another translator of the same making, by more than 1."""
MOST_PAIRS = 6
"""Of one model, in the order of its translator.json."""

SENTENCES = {
    "en": ("Where is the nearest station?", "I have never seen such a beautiful garden.", "The train leaves at 7:45.",
           "She asked him whether he could help her."),
    "de": ("Wo ist der nächste Bahnhof?", "Ich habe noch nie einen so schönen Garten gesehen.",
           "Der Zug fährt um 7:45 Uhr ab.", "Sie fragte ihn, ob er ihr helfen könne."),
    "fr": ("Où est la gare la plus proche ?", "Je n'ai jamais vu un aussi beau jardin.", "Le train part à 7 h 45.",
           "Elle lui a demandé s'il pouvait l'aider."),
    "zh": ("最近的车站在哪里？", "我从来没有见过这么漂亮的花园。", "火车七点四十五分出发。", "她问他能不能帮她。"),
    "es": ("¿Dónde está la estación más cercana?", "Nunca he visto un jardín tan bonito.",
           "El tren sale a las 7:45."),
}
OTHERWISE = ("Berlin, 12. 10. 1973", "Maria Silva, Lisboa", "7:45")
"""For a source language that is none of these."""

Run = Callable[[Sequence[Any]], list[Any]]


class TranslationSample(BaseModel):
    pair: OfferedPair
    text: str
    translation: str
    score: float
    """Of `translation`, scored again rather than as it was found."""
    found: float
    """As it was found."""


class TranslatorSamples(BaseModel):
    translations: list[TranslationSample]


class Difference(BaseModel):
    """Of mean log-probabilities a token. `scored`: on average and at most, of the kept translations scored anew;
    `found`: how much worse the best ones found now are, on average; `equal`: the share of equal texts."""

    scored: float
    most: float
    found: float
    equal: float

    @property
    def small(self) -> bool:
        return self.scored <= SCORE_TOLERANCE and self.most <= ONE_TOLERANCE and self.found <= SCORE_TOLERANCE

    def __str__(self) -> str:
        return (f"scores differ by {self.scored:.4f} a token on average and {self.most:.4f} at most, translations "
                f"found are worse by {self.found:.4f}, {self.equal:.0%} of the texts are equal")


def made(folder: Path, run: Run) -> TranslatorSamples:
    """Raises ModelUnusable when the model has no such languages."""
    asked = [(pair, text) for pair in _pairs(folder) for text in SENTENCES.get(pair.source, OTHERWISE)]
    best = [one.candidates[0] for one in run([pair.rewriting(text) for pair, text in asked])]
    scored = run([pair.rewriting(text, written=found.text) for (pair, text), found in zip(asked, best, strict=True)])
    return TranslatorSamples(translations=[
        TranslationSample(pair=pair.model_copy(update={"figures": {}}), text=text, translation=found.text,
                          found=found.score, score=again.candidates[0].score)
        for (pair, text), found, again in zip(asked, best, scored, strict=True)
    ])


def difference(kept: TranslatorSamples, run: Run) -> Difference:
    given = kept.translations
    scored = run([one.pair.rewriting(one.text, written=one.translation) for one in given])
    found = run([one.pair.rewriting(one.text) for one in given])
    moved = [abs(now.candidates[0].score - then.score) for now, then in zip(scored, given, strict=True)]
    worse = [then.found - now.candidates[0].score for now, then in zip(found, given, strict=True)]
    equal = [now.candidates[0].text == then.translation for now, then in zip(found, given, strict=True)]
    return Difference(scored=mean(moved), most=max(moved), found=mean(worse), equal=mean(equal))


def compare(kept: TranslatorSamples, run: Run) -> None:
    """Raises ModelUnusable when the difference is more than another form of the same model makes."""
    now = difference(kept, run)
    if not now.small:
        raise ModelUnusable(f"It does not translate as it did when it was registered: {now}.")


def _pairs(folder: Path) -> list[OfferedPair]:
    """Of a model that does not translate: English written anew."""
    if not (folder / TRANSLATOR_FILE).is_file():
        return [OfferedPair(source="en", target="en")]
    return pairs_of(folder)[:MOST_PAIRS]
