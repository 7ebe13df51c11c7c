"""A shared SentencePiece vocabulary for a translator, and the files that MarianTokenizer reads it from.

Unigram pieces (Kudo 2018), one model for all languages. A target language is asked for by a tag such as `>>de<<`
before the source text, as in the multilingual OPUS-MT models (Tiedemann and Thottingal 2020).
"""

from __future__ import annotations

import io
import json
import math
import random
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import sentencepiece

END, UNKNOWN, PADDING = "</s>", "<unk>", "<pad>"
POSITIONS = 512
SAMPLED_FROM = 8
"""Of this many likeliest segmentations, one is drawn for a training pass."""


def tag(language: str) -> str:
    return f">>{language}<<"


def train_pieces(texts: Iterable[str], size: int, seed: int) -> bytes:
    """A SentencePiece unigram model of at most `size` pieces, serialized.

    Characters that make up the last 0.05 % of the text get no piece: with Chinese in it, those are many.
    """
    model = io.BytesIO()
    sentencepiece.set_random_generator_seed(seed)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=size, model_type="unigram",
        character_coverage=0.9995, hard_vocab_limit=False, bos_id=-1, eos_id=0, unk_id=1, minloglevel=2,
        num_threads=1,
    )
    return model.getvalue()


def write_tokenizer(folder: Path, pieces: bytes, languages: Sequence[str]) -> None:
    """The files that make `folder` readable by MarianTokenizer. Padding comes last: CTranslate2 expects it there."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=pieces)
    tokens = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    tokens += [tag(language) for language in languages] + [PADDING]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    settings = {
        "tokenizer_class": "MarianTokenizer", "source_lang": "mul", "target_lang": "mul", "unk_token": UNKNOWN,
        "eos_token": END, "pad_token": PADDING, "model_max_length": POSITIONS, "separate_vocabs": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")


def copy_tokenizer(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("source.spm", "target.spm", "vocab.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, folder / name)


class Vocabulary:
    """Texts to token ids and back, as the tokenizer in `folder` does it; and with the segmentation drawn at random.

    Subword regularization (Kudo 2018) keeps a model of few sentences from learning one segmentation by heart. The
    library's own sampling cannot be seeded for each step, so the draw from its n best is made here.
    """

    def __init__(self, folder: Path) -> None:
        self._source = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
        self._target = sentencepiece.SentencePieceProcessor(model_file=str(folder / "target.spm"))
        self._ids: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        self.end, self.padding, self._unknown = self._ids[END], self._ids[PADDING], self._ids[UNKNOWN]

    def __len__(self) -> int:
        return len(self._ids)

    def tag_id(self, language: str) -> int | None:
        """None when the vocabulary knows no such tag."""
        return self._ids.get(tag(language))

    def source(self, text: str, rng: random.Random | None = None, alpha: float = 0.0) -> list[int]:
        return self._encode(self._source, text, rng, alpha)

    def target(self, text: str, rng: random.Random | None = None, alpha: float = 0.0) -> list[int]:
        return self._encode(self._target, text, rng, alpha)

    def _encode(
        self, processor: sentencepiece.SentencePieceProcessor, text: str, rng: random.Random | None, alpha: float
    ) -> list[int]:
        """With its end. `alpha` flattens the draw: 0 or no `rng` is the likeliest segmentation."""
        if rng is None or alpha == 0 or not text:
            pieces = processor.encode(text, out_type=str)
        else:
            found = processor.nbest_encode(text, nbest_size=SAMPLED_FROM, return_type="proto").nbests
            weights = [math.exp(alpha * (one.score - found[0].score)) for one in found]
            chosen = rng.choices(found, weights)[0]
            pieces = [piece.piece for piece in chosen.pieces]
        return [self._ids.get(piece, self._unknown) for piece in pieces] + [self.end]
