"""Train a causal language model: go on with one that there is, in full, by LoRA or QLoRA, or begin a small new Llama.

Learns from texts and from conversations (`formats/corpus.py`), packed into blocks (`packing.py`). A new model gets a
byte-level BPE vocabulary, made of the same texts, and a chat template.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from models_service.evaluation import perplexity
from models_service.formats.corpus import Document, read_corpus
from models_service.training import generator_model
from models_service.training.packing import pack
from models_service.training.run_folder import RunFolder
from models_service.training.settings_causal import CausalSettings

END = "<|end|>"
SPECIAL = [END, "<|system|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


class CausalTask:
    """Gives the loop its model, batches and loss."""

    def __init__(self, settings: CausalSettings, run: RunFolder) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        documents = _read(settings.data, settings.language, run)
        if settings.base:
            self.model, self.tokenizer = generator_model.opened(settings.base, settings.method)
            if settings.method != "full":
                self.model = generator_model.adapted(self.model, settings.rank)
        else:
            self.tokenizer = _vocabulary(documents, settings, run.path / "tokenizer")
            self.model = LlamaForCausalLM(_sizes(settings, len(self.tokenizer)))
        self.model.config.use_cache = False
        self._packed = pack(documents, self.tokenizer)
        blocks = self._packed.blocks(settings.context)
        run.say(f"{len(documents)} texts, {len(self._packed.ids):,} tokens, {blocks} blocks of {settings.context}")
        rng = random.Random(settings.seed)
        self.batches: list[list[int]] = []
        for _ in range(settings.epochs):
            order = list(range(blocks))
            rng.shuffle(order)
            self.batches += [order[i : i + settings.batch_size] for i in range(0, blocks, settings.batch_size)]
        held_out = read_corpus(settings.evaluation, settings.language) if settings.evaluation else []
        if len(held_out) > settings.evaluation_limit:
            held_out = rng.sample(held_out, settings.evaluation_limit)
        self._held_out = held_out

    def cost(self, batch: list[int]) -> int:
        """Tokens."""
        return len(batch) * self.settings.context

    def loss(self, batch: list[int], device: torch.device) -> torch.Tensor:
        blocks = [self._packed.block(number, self.settings.context) for number in batch]
        ids, labels, positions = (torch.from_numpy(np.stack(part)).to(device) for part in zip(*blocks, strict=True))
        logits = self.model(input_ids=ids, position_ids=positions, use_cache=False).logits
        return torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), reduction="sum"
        ) / (labels[:, 1:] >= 0).sum().clamp(min=1)

    def evaluate(self) -> dict[str, float]:
        """Cross-entropy (nats a token) and perplexity of the held-out texts."""
        if not self._held_out:
            return {}
        self.model.eval()
        scored = perplexity.score(self.model, self.tokenizer, self._held_out, context=self.settings.context)
        return perplexity.metrics(scored)

    def save(self, run: RunFolder) -> None:
        generator_model.save(self.model, self.tokenizer, run, base=self.settings.base,
                             method=self.settings.method, merge=self.settings.merge)


def _read(paths: Sequence[Path], language: str, run: RunFolder) -> list[Document]:
    documents: list[Document] = []
    for path in paths:
        found = read_corpus(path, language)
        run.say(f"{path.name}: {len(found)} {'conversations' if found[0].messages else 'texts'}")
        documents += found
    return documents


def _sizes(settings: CausalSettings, vocabulary: int) -> LlamaConfig:
    wide = -(-settings.hidden * 8 // 3 // 32) * 32
    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=settings.hidden, intermediate_size=wide,
        num_hidden_layers=settings.layers, num_attention_heads=settings.heads,
        num_key_value_heads=max(settings.heads // 2, 1) if settings.heads % 2 == 0 else settings.heads,
        max_position_embeddings=settings.context, tie_word_embeddings=True, bos_token_id=None, eos_token_id=0,
        pad_token_id=0,
    )


def _vocabulary(documents: Sequence[Document], settings: CausalSettings, folder: Path) -> PreTrainedTokenizerBase:
    """A byte-level BPE, which can spell any text. Kept in the run's folder, so a resumed run has the same one."""
    if (folder / "tokenizer.json").is_file():
        return AutoTokenizer.from_pretrained(folder)
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    texts = (text for one in documents for text in ([one.text] if one.text else [said for _, said in one.messages]))
    bare.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=settings.vocabulary, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, eos_token=END, pad_token=END)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return tokenizer
