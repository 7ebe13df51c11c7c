"""What whoever needs a model sees of it: `Models`, whether a service answers or this process computes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from models_service.protocol import (
    ChatMessage,
    ClassifyDone,
    GenerateDone,
    LanguagePair,
    ReadDone,
    RerankDone,
    SummarizeDone,
    TranslateDone,
)


@dataclass(frozen=True)
class Encoded:
    """One row of float32 a text, each of L2 norm 1, and the `NAME@VERSION` of the one encoder that made them all.

    Vectors of two encoders cannot be compared, so whoever keeps vectors keeps `encoder` beside them.
    """

    vectors: np.ndarray
    encoder: str
    tokens: int = 0
    """That the texts have for the encoder, where they were counted."""


class Models(Protocol):
    """Encodes, reads, labels, translates and writes texts. Raises ModelsError."""

    async def encode(self, texts: Sequence[str], *, client: str = "") -> Encoded:
        """Any number of texts; a text is cut at what an encoder sees.

        Args:
            client: who asks, for fair queues; give a long background job a name of its own.
        """
        ...

    async def embed(self, texts: Sequence[str], *, client: str = "") -> np.ndarray:
        """The vectors of `encode` alone, for whoever does not keep them."""
        return (await self.encode(texts, client=client)).vectors

    async def read(self, question: str, passages: Sequence[str], *, n_best: int = 3, client: str = "") -> ReadDone:
        """The best spans of each passage (1 to 512 passages of up to 20,000 characters)."""
        ...

    async def summarize(
        self, sentences: Sequence[str], *, words: int | None = None, sentences_wanted: int | None = None,
        client: str = "",
    ) -> SummarizeDone:
        """Which sentences of one text (1 to 2,000 of up to 20,000 characters, in order, headings included) say most
        of it: about so many `words`, and no more than `sentences_wanted`; three when neither is given."""
        ...

    async def translate(
        self, texts: Sequence[str], *, source: str, target: str, n_best: int = 1, beam_size: int | None = None,
        model: str | None = None, client: str = "",
    ) -> TranslateDone:
        """The best translations of each text (1 to 512 sentences of up to 2,000 characters).

        Args:
            source, target: codes as `languages` gives them.
            model: the first that offers the pair by default.
        """
        ...

    async def languages(self) -> list[LanguagePair]:
        """The directions that the served models translate in; of two models for one, the first is the default."""
        ...

    async def rerank(self, query: str, passages: Sequence[str], *, client: str = "") -> RerankDone | None:
        """A score for each passage (1 to 512 of up to 20,000 characters); None where no reranker is served."""
        ...

    async def classify(
        self, texts: Sequence[str], *, model: str | None = None, client: str = ""
    ) -> ClassifyDone:
        """Labels for each text, or for what stands in it (1 to 512 texts of up to 20,000 characters).

        Args:
            model: the first classifier that is served by default; ModelsError `not_found` where there is none.
        """
        ...

    def generate(
        self, messages: Sequence[ChatMessage], *, client: str = "", **settings: Any
    ) -> AsyncGenerator[str | GenerateDone, None]:
        """What the generator writes on after `messages`, in pieces, then GenerateDone.

        Closing the iterator, or cancelling its task, stops the work.

        Args:
            messages: none when `prompt` is among the settings.
            settings: fields of GenerateRequest: prompt, model, max_tokens, temperature, top_p, top_k, stop, seed,
                logprobs.
        """
        ...
