"""A sequence-to-sequence model computed by CTranslate2: converted once, kept, and several times as fast on a CPU."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import torch
from ctranslate2.converters import TransformersConverter

from models_service.engines import conversions
from models_service.engines.seq2seq_forms import Form, Hypothesis, Source

SMALL_BYTES = 500_000_000
"""Up to this size a model computes several batches beside each other, a thread each; a larger one, one on all."""


class NotConverted(Exception):
    """CTranslate2 does not cover this model; the sentence says why."""


class _Converter(TransformersConverter):
    """Reads safetensors only, and never in less than float32."""

    def load_model(self, model_class, model_name_or_path, **kwargs):
        model = model_class.from_pretrained(
            model_name_or_path, **(kwargs | {"dtype": torch.float32, "use_safetensors": True})
        )
        if model.config.model_type == "marian":
            _check_padding(model)
        return model

    def load_tokenizer(self, tokenizer_class, model_name_or_path, **kwargs):
        """M2M100's keeps the tokens of languages apart from its vocabulary, where the converter looks for them."""
        tokenizer = tokenizer_class.from_pretrained(model_name_or_path, **kwargs)
        if apart := getattr(tokenizer, "lang_token_to_id", None):
            whole = tokenizer.get_vocab() | apart
            tokenizer.get_vocab = lambda: whole
        return tokenizer


def _check_padding(model: torch.nn.Module) -> None:
    """The converter drops the last token, which Marian models keep for padding, and begins from zeros."""
    padding = model.config.pad_token_id
    if padding != model.config.vocab_size - 1:
        raise NotConverted("its padding is not the last token of the vocabulary")
    if model.get_input_embeddings().weight[padding].count_nonzero():
        raise NotConverted("its texts do not begin from a vector of zeros")


def converted(folder: Path, kept: Path, quantization: str) -> Path:
    """The model with weights of this type, converted unless that was done before. `kept` is its place in the cache.

    Raises:
        NotConverted: the architecture is not covered, or the conversion failed.
    """

    return conversions.converted(kept / quantization, lambda fresh: convert(folder, fresh, quantization))


def convert(folder: Path, target: Path, quantization: str) -> None:
    """The model in `folder` with weights of this type, in the new folder `target`. Raises NotConverted."""
    try:
        with warnings.catch_warnings():  # about sacremoses, whose normalising is not used here
            warnings.simplefilter("ignore", UserWarning)
            _Converter(str(folder)).convert(str(target), quantization=quantization)
    except NotConverted:
        raise
    except Exception as problem:
        raise NotConverted(f"{type(problem).__name__}: {problem}") from problem


def compute_types(device: str) -> list[str]:
    """Number formats that are worth trying on this device, the fastest first."""
    able = ctranslate2.get_supported_compute_types(device)
    wanted = ("int8_float16", "float16") if device == "cuda" else ("int8", "float32")
    return [kind for kind in wanted if kind in able]


class CTranslate2Form(Form):
    def __init__(
        self, folder: Path, device: str, compute_type: str, never: Sequence[int], end: int, batch_tokens: int
    ) -> None:
        """`folder` holds a conversion; the rest is as in TransformersForm."""
        self.name = f"ctranslate2 {compute_type}"
        threads = torch.get_num_threads()
        beside = threads if device == "cpu" and (folder / "model.bin").stat().st_size < SMALL_BYTES else 1
        self._translator = ctranslate2.Translator(
            str(folder), device=device, compute_type=compute_type, inter_threads=beside,
            intra_threads=max(threads // beside, 1),
        )
        self._tokens: list[str] = json.loads((folder / "shared_vocabulary.json").read_text(encoding="utf-8"))
        self._ids = {token: id_ for id_, token in enumerate(self._tokens)}
        self._never = [[self._tokens[id_]] for id_ in never if id_ < len(self._tokens)]
        self._end = end
        self._batch_tokens = batch_tokens
        self._beside = beside

    def search(self, sources: Sequence[Source], beam: int, n_best: int) -> list[list[Hypothesis]]:
        begins = [self._spelled(() if source.begin is None else (source.begin,)) for source in sources]
        before = len(begins[0])  # counted among what is written
        results = self._translator.translate_batch(
            [self._spelled(source.ids) for source in sources],
            target_prefix=begins if any(begins) else None, beam_size=beam, num_hypotheses=n_best, length_penalty=1,
            max_batch_size=self._share(sources), batch_type="tokens", max_input_length=0, return_scores=True,
            max_decoding_length=before + max(source.most for source in sources), min_decoding_length=before + 1,
            suppress_sequences=self._never, return_end_token=True,
        )
        return [
            [self._hypothesis(tokens, score, len(begin))
             for tokens, score in zip(result.hypotheses, result.scores, strict=True)]
            for result, begin in zip(results, begins, strict=True)
        ]

    def score(self, sources: Sequence[Source], targets: Sequence[Sequence[int]]) -> list[float]:
        begins = [() if source.begin is None else (source.begin,) for source in sources]
        results = self._translator.score_batch(
            [self._spelled(source.ids) for source in sources],
            [self._spelled((*begin, *target[:-1])) for begin, target in zip(begins, targets, strict=True)],
            max_batch_size=self._share(sources), batch_type="tokens", max_input_length=0, offset=len(begins[0]),
        )
        return [sum(result.log_probs) / max(len(result.log_probs), 1) for result in results]

    def close(self) -> None:
        del self._translator

    def _share(self, sources: Sequence[Source]) -> int:
        """Tokens of one batch, when there is to be one for each that are computed beside each other."""
        return -(-min(sum(len(source.ids) for source in sources), self._batch_tokens) // self._beside)

    def _spelled(self, ids: Sequence[int]) -> list[str]:
        return [self._tokens[id_] for id_ in ids]

    def _hypothesis(self, tokens: list[str], score: float, before: int) -> Hypothesis:
        ids = [self._ids[token] for token in tokens[before:]]
        finished = bool(ids) and ids[-1] == self._end
        return Hypothesis(ids[:-1] if finished else ids, score, finished)
