"""The sequence-to-sequence engine: a text in, the best rewritings of it out, by beam search.

Any `AutoModelForSeq2SeqLM` whose encoder reads a tag, the text and an end: Marian (OPUS-MT), M2M100, NLLB, mBART-50,
T5, BART, Pegasus. It knows tokens and forms; which languages a tag stands for is its caller's business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models_service.engines.base import Engine
from models_service.engines.precision import device
from models_service.engines.rewriting import Candidate, Rewriting, Rewritten
from models_service.engines.seq2seq_choice import best_form
from models_service.engines.seq2seq_ctranslate2 import CTranslate2Form
from models_service.engines.seq2seq_forms import Form, Hypothesis, Source, TransformersForm
from models_service.engines.seq2seq_tokens import Tokens

DEFAULT_BEAM = 4
LONGEST_INPUT = 512
"""Tokens, where the model has no fixed number of positions."""
MORE_TOKENS, TIMES_TOKENS, STEP_TOKENS = 32, 2, 32
"""How many tokens a rewriting may have: those of its source this many times and so many more, up to the next step.
Only what has the same limit is searched together, so that a text's rewriting does not depend on its company."""

Run = Callable[[Sequence[Rewriting]], list[Rewritten]]


@dataclass(frozen=True)
class Piece:
    """What the model reads at once; with `written` to be scored, or to be searched with a beam."""

    source: Source
    beam: int
    n_best: int
    written: tuple[int, ...] = ()
    unknown: str = ""


@dataclass(frozen=True)
class Found:
    """Of one piece: texts with their scores and lengths in tokens, best first. `unknown` is of the whole text."""

    texts: list[tuple[str, float, int]]
    cut: bool
    unknown: str


class Seq2SeqEngine(Engine[Rewriting, Piece, Found, Rewritten]):
    def __init__(self, name: str, directory: Path, converted: Path | None = None) -> None:
        """`converted` is where other forms of models are kept; without it the model is computed as it was saved."""
        self.name = name
        self._directory = directory
        self._converted = converted
        self._tokens: Tokens
        self._form: Form
        self._room = self._most = LONGEST_INPUT
        self._beam = DEFAULT_BEAM
        self._separate: dict[str, tuple[list[int], int | None]] = {}
        self.batch_tokens = 0

    @property
    def form(self) -> str:
        """How it is computed."""
        return self._form.name

    def load(self) -> None:
        where = device()
        # Small enough that a request which was cancelled, and one that waits, are seen to soon.
        self.batch_tokens = 1024 if where.type == "cpu" else 16384
        self._tokens = Tokens(self._directory, self.name)
        config = json.loads((self._directory / "config.json").read_text(encoding="utf-8"))
        positions = config.get("max_position_embeddings") or LONGEST_INPUT
        self._room = self._most = min(int(positions), 1024)
        self._beam = self._own_beam(config)
        shared = (self._tokens.never_written, self._tokens.end, self.batch_tokens)
        if self._converted is None:
            self._form = TransformersForm(self._directory, where, *shared)
        else:
            self._form = best_form(self.name, self._directory, self._converted, where, shared, self._run_with)

    def warm(self) -> None:
        self.run([Rewriting("Hello.")])

    def split(self, inputs: Sequence[Rewriting]) -> list[list[Piece]]:
        return [self._pieces(given) for given in inputs]

    def cost(self, piece: Piece) -> int:
        return len(piece.source.ids)

    def compute(self, pieces: Sequence[Piece]) -> list[Found]:
        found: list[Found | None] = [None] * len(pieces)
        for group in _alike(pieces):
            sources = [pieces[i].source for i in group]
            first = pieces[group[0]]
            if first.written:
                targets = [pieces[i].written for i in group]
                for i, score, ids in zip(group, self._form.score(sources, targets), targets, strict=True):
                    found[i] = Found([(self._tokens.text(ids[:-1]), score, len(ids))], False, pieces[i].unknown)
                continue
            for i, hypotheses in zip(group, self._form.search(sources, first.beam, first.n_best), strict=True):
                found[i] = self._spelled(hypotheses, pieces[i].unknown)
        return found  # type: ignore[return-value]

    def join(self, given: Rewriting, results: Sequence[Found]) -> Rewritten:
        if not results:
            return Rewritten([Candidate("", 0.0)], pieces=0)
        candidates = []
        for rank in range(min(len(found.texts) for found in results)):
            texts, scores, lengths = zip(*(found.texts[rank] for found in results), strict=True)
            mean = sum(score * length for score, length in zip(scores, lengths, strict=True)) / sum(lengths)
            candidates.append(Candidate(given.glue.join(texts), mean))
        return Rewritten(candidates, len(results), any(found.cut for found in results), results[0].unknown)

    def close(self) -> None:
        self._form.close()

    @contextmanager
    def computed_by(self, converted: Path, compute_type: str) -> Iterator[Run]:
        """`run`, by a conversion of this model that lies elsewhere."""
        own = self._form
        form = CTranslate2Form(converted, "cpu", compute_type, self._tokens.never_written, self._tokens.end,
                               self.batch_tokens)
        try:
            yield self._run_with(form)
        finally:
            self._form = own
            form.close()

    def _run_with(self, form: Form) -> Run:
        """This engine's `run`, computed in the given form."""

        def run(inputs: Sequence[Rewriting]) -> list[Rewritten]:
            self._form = form
            return self.run(inputs)

        return run

    def _pieces(self, given: Rewriting) -> list[Piece]:
        """None for a text of which the model would see nothing."""
        if given.tag + given.begin not in self._separate:
            begin = self._tokens.token(given.begin) if given.begin else None
            self._separate[given.tag + given.begin] = self._tokens.tag(given.tag), begin
        tag, begin = self._separate[given.tag + given.begin]
        ids, unknown = self._tokens.source(given.text)
        beam = max(given.beam_size or self._beam, given.n_best)
        written: tuple[int, ...] = ()
        if given.written is not None:
            written = (*self._tokens.target(given.written)[:-1][: self._most - 3], self._tokens.end)
        pieces = self._tokens.pieces(ids, self._room - len(tag) - 1)
        return [
            Piece(Source((*tag, *piece, self._tokens.end), begin, self._longest(given, len(piece))), beam,
                  given.n_best, written, unknown)
            for piece in pieces
        ]

    def _longest(self, given: Rewriting, tokens: int) -> int:
        wanted = TIMES_TOKENS * tokens + MORE_TOKENS
        return min(given.longest or STEP_TOKENS * -(-wanted // STEP_TOKENS), self._most - 2)

    def _spelled(self, hypotheses: Sequence[Hypothesis], unknown: str) -> Found:
        texts = [(self._tokens.text(one.ids), one.score, len(one.ids) + one.finished) for one in hypotheses]
        return Found(texts, not hypotheses[0].finished, unknown)

    def _own_beam(self, config: dict) -> int:
        """The model's folder may say with how wide a beam it was evaluated."""
        file = self._directory / "generation_config.json"
        settings = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else config
        beam = settings.get("num_beams")
        return beam if isinstance(beam, int) and 1 <= beam <= 10 else DEFAULT_BEAM


def _alike(pieces: Sequence[Piece]) -> list[list[int]]:
    """Indices of the pieces that one search can be made for."""
    groups: dict[tuple, list[int]] = {}
    for i, piece in enumerate(pieces):
        alike = piece.beam, piece.n_best, piece.source.begin, piece.source.most, bool(piece.written)
        groups.setdefault(alike, []).append(i)
    return list(groups.values())
