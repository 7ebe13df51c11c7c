"""Train a translator: a small multilingual encoder-decoder (Vaswani et al. 2017), from scratch or going on from one.

All directions share one model and one vocabulary; the wanted language is a tag before the source text (Johnson et
al. 2017). What is saved is a MarianMT directory, so that it can be served, converted and trained on like any other.
"""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sacrebleu
import torch
from torch.nn.functional import cross_entropy, linear
from transformers import MarianConfig, MarianMTModel, MarianTokenizer

from models_service.evaluation.translation import bleu_tokenizer
from models_service.formats.files import FormatError
from models_service.formats.parallel import read_parallel
from models_service.languages import WITHOUT_SPACES
from models_service.model_files import TRANSLATOR_FILE
from models_service.training.run_folder import RunFolder
from models_service.training.settings import TranslateSettings
from models_service.training.vocabulary import (
    POSITIONS,
    Vocabulary,
    copy_tokenizer,
    tag,
    train_pieces,
    write_tokenizer,
)

MOST_JOINED = 4
LONGEST = 200
"""Tokens; longer sentences are left out of training. A base that takes fewer sets its own limit."""


@dataclass(frozen=True)
class Example:
    """One sentence in one direction."""

    source: str
    target: str
    tag: int | None
    length: int


class TranslateTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: TranslateSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        rows = [row for path in settings.data for row in read_parallel(path)]
        self.pairs = _pairs(settings.pairs, rows)
        tokenizer = run.path / "tokenizer"
        if settings.base:
            copy_tokenizer(Path(settings.base), tokenizer)
        elif not (tokenizer / "tokenizer_config.json").is_file():
            languages = sorted({language for pair in self.pairs for language in pair})
            seen = dict.fromkeys(row[language] for row in rows for language in languages if language in row)
            write_tokenizer(tokenizer, train_pieces(seen, settings.vocabulary_size, settings.seed), languages)
        self.vocabulary = Vocabulary(tokenizer)
        with warnings.catch_warnings(action="ignore"):  # about a package for punctuation, which changes no token here
            self.tokenizer = MarianTokenizer.from_pretrained(tokenizer)
        self.model = self._model()
        self._longest = min(LONGEST, self.model.config.max_position_embeddings)
        self._examples = self._read(rows, run)
        if not self._examples:
            raise FormatError(f"every sentence of the data has more than {self._longest} tokens: split them")
        rng = random.Random(settings.seed)
        self.batches: list[list[int]] = []
        for _ in range(settings.epochs):
            self.batches += batches_by_tokens([e.length for e in self._examples], settings.batch_tokens, rng)
        self._held_out = self._read_held_out(rng)

    def _model(self) -> MarianMTModel:
        settings = self.settings
        attention = "sdpa" if torch.cuda.is_available() else "eager"  # as for qa
        if settings.base:
            model = MarianMTModel.from_pretrained(
                settings.base, dtype=torch.float32, attn_implementation=attention
            )
            for name, weights in model.named_parameters():
                weights.requires_grad_("embed_positions" not in name)  # sines; loading has made them trainable
            return model
        config = MarianConfig(
            vocab_size=len(self.vocabulary), d_model=settings.hidden_size,
            encoder_layers=settings.encoder_layers, decoder_layers=settings.decoder_layers,
            encoder_ffn_dim=settings.feed_forward_size, decoder_ffn_dim=settings.feed_forward_size,
            encoder_attention_heads=settings.heads, decoder_attention_heads=settings.heads,
            dropout=settings.dropout, activation_function="relu", scale_embedding=True,
            max_position_embeddings=POSITIONS, init_std=settings.hidden_size**-0.5,
            pad_token_id=self.vocabulary.padding, decoder_start_token_id=self.vocabulary.padding,
            eos_token_id=self.vocabulary.end, forced_eos_token_id=self.vocabulary.end,
        )
        model = MarianMTModel._from_config(config, attn_implementation=attention)
        model.generation_config.update(bad_words_ids=[[self.vocabulary.padding]], num_beams=4)
        for name, weights in model.named_parameters():
            if weights.dim() == 2 and "embed" not in name and "shared" not in name:
                torch.nn.init.xavier_uniform_(weights)
        return model

    def _read(self, rows: Sequence[dict[str, str]], run: RunFolder) -> list[Example]:
        examples: list[Example] = []
        for source, target in self.pairs:
            tag_id = self.vocabulary.tag_id(target)
            before = len(examples)
            both = ((row[source], row[target]) for row in rows if {source, target} <= row.keys())
            for text, wanted in dict.fromkeys(both):
                given = len(self.vocabulary.source(text)) + (tag_id is not None)
                made = len(self.vocabulary.target(wanted))
                if max(given, made) <= self._longest:
                    examples.append(Example(text, wanted, tag_id, max(given, made)))
            own = examples[before:]
            joined = _joined(own, self.settings, source, target, self._longest)
            examples += joined
            run.say(f"{source}-{target}: {len(own)} sentences, and {len(joined)} times several of them joined")
        return examples

    def _read_held_out(self, rng: random.Random) -> dict[str, list[tuple[str, str]]]:
        rows = [row for path in self.settings.evaluation for row in read_parallel(path)]
        found = {}
        for source, target in self.pairs:
            own = [(row[source], row[target]) for row in rows if {source, target} <= row.keys()]
            if own:
                found[f"{source}-{target}"] = rng.sample(own, min(len(own), self.settings.evaluation_limit))
        return found

    def cost(self, batch: list[int]) -> int:
        """Tokens of the longer side, padding included."""
        return len(batch) * max(self._examples[i].length for i in batch)

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        settings = self.settings
        rng = random.Random(f"{settings.seed} {batch}")
        sources, targets = [], []
        for example in (self._examples[i] for i in batch):
            pieces = self.vocabulary.source(example.source, rng, settings.segmentation_alpha)
            sources.append(pieces if example.tag is None else [example.tag, *pieces])
            targets.append(self.vocabulary.target(example.target, rng, settings.segmentation_alpha))
        inputs = _padded(sources, self.vocabulary.padding).to(device)
        wanted = _padded(targets, self.vocabulary.padding).to(device)
        shifted = torch.cat([wanted.new_full((len(batch), 1), self.vocabulary.padding), wanted[:, :-1]], dim=1)
        hidden = self.model.model(
            input_ids=inputs, attention_mask=inputs != self.vocabulary.padding, decoder_input_ids=shifted,
            use_cache=False,
        ).last_hidden_state
        # Padding is left out before the vocabulary's matrix, which is the dearest product of a small model. The last
        # row, padding's own, is what decoding starts from: it stays zero, and is no token that could be written.
        kept = wanted != self.vocabulary.padding
        logits = linear(hidden[kept], self.model.lm_head.weight[: self.vocabulary.padding])
        return cross_entropy(logits.float(), wanted[kept], label_smoothing=settings.label_smoothing)

    def evaluate(self) -> dict[str, float]:
        """Greedy BLEU (0 to 100) a pair on held-out sentences: quicker and lower than what beam search gives."""
        self.model.eval()
        metrics = {}
        for pair, texts in self._held_out.items():
            source, target = pair.split("-", 1)
            made = self._translate([text for text, _ in texts], target)
            tokenizer = bleu_tokenizer(target)
            score = sacrebleu.corpus_bleu(made, [[wanted for _, wanted in texts]], tokenize=tokenizer)
            metrics[f"bleu {pair}"] = score.score
        return metrics

    @torch.inference_mode()
    def _translate(self, texts: Sequence[str], target: str) -> list[str]:
        marked = texts if self.vocabulary.tag_id(target) is None else [f"{tag(target)} {text}" for text in texts]
        made: list[str] = []
        for start in range(0, len(marked), 50):
            inputs = self.tokenizer(marked[start : start + 50], return_tensors="pt", padding=True, truncation=True)
            inputs = inputs.to(self.model.device)
            out = self.model.generate(**inputs, num_beams=1, do_sample=False, max_new_tokens=self._longest)
            made += self.tokenizer.batch_decode(out, skip_special_tokens=True)
        return made

    def save(self, run: RunFolder) -> None:
        """In float16: half the size, and no less exact than what it is served in."""
        self.model.half().save_pretrained(run.model)
        copy_tokenizer(run.path / "tokenizer", run.model)
        tags = {target: tag(target) if self.vocabulary.tag_id(target) is not None else "" for _, target in self.pairs}
        pairs = [{"source": source, "target": target, "tag": tags[target]} for source, target in self.pairs]
        (run.model / TRANSLATOR_FILE).write_text(json.dumps({"pairs": pairs}, indent=2) + "\n")


def _pairs(wanted: Sequence[str], rows: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
    """The directions to train. Raises FormatError when the data holds none of them."""
    there = {(a, b) for row in rows for a in row for b in row if a != b}
    pairs = [tuple(pair.split("-", 1)) for pair in wanted] or sorted(pair for pair in there if "en" in pair)
    missing = [pair for pair in pairs if pair not in there]
    if missing or not pairs:
        names = ", ".join("-".join(pair) for pair in missing) or "to or from English"
        raise FormatError(f"the data has no pair {names}; it has {', '.join('-'.join(p) for p in sorted(there))}")
    return pairs


def _joined(
    examples: Sequence[Example], settings: TranslateSettings, source: str, target: str, longest: int
) -> list[Example]:
    """Several sentences one after another: without such, what is never longer than a sentence is cut short."""
    rng = random.Random(f"{settings.seed} {len(examples)}")
    made = []
    for _ in range(round(len(examples) * settings.joined_share) if examples else 0):
        parts = rng.choices(examples, k=rng.randint(2, MOST_JOINED))
        length = sum(part.length for part in parts)
        if length <= longest:
            given = _space(source).join(part.source for part in parts)
            wanted = _space(target).join(part.target for part in parts)
            made.append(Example(given, wanted, parts[0].tag, length))
    return made


def _space(language: str) -> str:
    return "" if language in WITHOUT_SPACES else " "


def _padded(rows: Sequence[Sequence[int]], padding: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[padding] * (width - len(row))] for row in rows])


def batches_by_tokens(lengths: Sequence[int], most: int, rng: random.Random) -> list[list[int]]:
    """One epoch's batches in random order; each of like lengths and of at most `most` tokens, padding among them."""
    order = list(range(len(lengths)))
    rng.shuffle(order)  # equal lengths meet others at each epoch
    order.sort(key=lambda i: lengths[i])
    batches: list[list[int]] = [[]]
    for index in order:
        if batches[-1] and lengths[index] * (len(batches[-1]) + 1) > most:
            batches.append([])
        batches[-1].append(index)
    rng.shuffle(batches)
    return batches
