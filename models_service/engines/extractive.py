"""The extractive summarizer: the sentences of a text in, the most telling of them out.

An encoder gives a vector for each sentence, `sentence_scorer.py` says what each is worth, and `choosing.py` picks
those worth most that do not repeat one another. Nothing is said that the text does not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models_service.engines.base import Engine
from models_service.engines.choosing import choose
from models_service.engines.encoder import EncoderEngine
from models_service.engines.sentence_scorer import SentenceScorer, read_scorer
from models_service.engines.summarizing import SENTENCES_CHOSEN, Document, Summary
from models_service.model_files import ModelUnusable, scorer_base
from models_service.words import count_words


class ExtractiveEngine(Engine[str, list[int], np.ndarray, np.ndarray]):
    """Its inputs are sentences and its outputs their vectors, so that those of many texts share a batch; `choose`
    makes a summary of one text's."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.batch_tokens = 0
        self._directory = directory
        self._encoder: EncoderEngine
        self._scorer: SentenceScorer

    def load(self) -> None:
        base = scorer_base(self._directory)
        if base is None:
            raise ModelUnusable(f"{self._directory} holds no sentence scorer.")
        self._scorer = read_scorer(self._directory)
        self._encoder = EncoderEngine(self.name, Path(base))
        self._encoder.load()
        self.batch_tokens = self._encoder.batch_tokens

    def warm(self) -> None:
        self._encoder.warm()

    def split(self, inputs: Sequence[str]) -> list[list[list[int]]]:
        return self._encoder.split(inputs)

    def cost(self, piece: list[int]) -> int:
        return self._encoder.cost(piece)

    def compute(self, pieces: Sequence[list[int]]) -> list[np.ndarray]:
        return self._encoder.compute(pieces)

    def join(self, given: str, results: Sequence[np.ndarray]) -> np.ndarray:
        return self._encoder.join(given, results)

    def choose(self, document: Document, vectors: np.ndarray) -> Summary:
        """The summary of a text from its sentences' vectors; from any thread."""
        lengths = [count_words(sentence) for sentence in document.sentences]
        values = self._scorer.score(document.sentences, vectors, lengths)
        most = document.sentences_wanted or (len(lengths) if document.words else SENTENCES_CHOSEN)
        chosen = choose(values, vectors, lengths, words=document.words, most=most)
        return Summary(tuple(chosen), tuple(round(float(score), 4) for score in 1 / (1 + np.exp(-values))))

    def summarize(self, documents: Sequence[Document]) -> list[Summary]:
        """All of it, here and now, for one caller."""
        vectors = iter(self.run([sentence for document in documents for sentence in document.sentences]))
        return [
            self.choose(document, np.stack([next(vectors) for _ in document.sentences])) for document in documents
        ]

    def close(self) -> None:
        self._encoder.close()
