"""A translator or an encoder for CTranslate2, its tokenizer beside it; in 8 bits where these are close enough."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from models_service import translation_samples
from models_service.compression import weights
from models_service.engines import int8
from models_service.engines import seq2seq_ctranslate2 as fast
from models_service.engines.precision import agreement
from models_service.engines.seq2seq import Seq2SeqEngine
from models_service.model_files import CARD_FILE, LEAST_AGREEMENT, TRANSLATOR_FILE, ModelUnusable
from models_service.registry import Model
from models_service.samples import TEXTS
from models_service.version_files import kept_files

log = logging.getLogger(__name__)
TOKENIZERS = frozenset((
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "vocab.txt",
    "added_tokens.json", "generation_config.json", "1_Pooling/config.json", "modules.json",
    "sentence_bert_config.json", TRANSLATOR_FILE, CARD_FILE,
))


def write_ctranslate2(model: Model, target: Path) -> None:
    """Write to the folder `target`, which is there and empty. Raises ModelUnusable."""
    source = model.directory()
    with TemporaryDirectory(dir=target.parent, prefix=".converted-") as there:
        made = Path(there) / "model"
        if model.kind == "translator":
            _translator(model, source, made)
        else:
            _encoder(model, source, made)
        for file in made.iterdir():
            file.rename(target / file.name)
    for name in kept_files(source):
        if (str(name) in TOKENIZERS or name.suffix in (".spm", ".model")) and not (target / name).exists():
            (target / name).parent.mkdir(exist_ok=True)
            (target / name).write_bytes((source / name).read_bytes())


def _translator(model: Model, source: Path, made: Path) -> None:
    """In 8 bits, or in float32 where these give something else."""
    engine = Seq2SeqEngine(model.name, source)
    engine.load()
    kept = translation_samples.made(source, engine.run)
    try:
        for kind in fast.compute_types("cpu"):
            fast.convert(source, made, kind)
            with engine.computed_by(made, kind) as run:
                differs = translation_samples.difference(kept, run)
            if differs.small:
                return
            log.warning("%s is not exported in %s: %s", model.label, kind, differs)
            shutil.rmtree(made)
    except fast.NotConverted as problem:
        raise ModelUnusable(f"CTranslate2 does not cover {model.label}: {problem}.") from None
    finally:
        engine.close()
    raise ModelUnusable(f"The conversion of {model.label} differs from it: {differs}.")


def _encoder(model: Model, source: Path, made: Path) -> None:
    from transformers import AutoTokenizer

    body, tokenizer = weights.read(source, "encoder"), AutoTokenizer.from_pretrained(source)
    if type(body.config).__name__ not in int8.COVERED:
        raise ModelUnusable(f"CTranslate2 does not cover {model.label}, a {type(body.config).__name__}.")
    int8.convert(body, tokenizer, made)
    converted = int8.Int8Body(made)
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=128)["input_ids"]
        with torch.inference_mode():
            exact = body(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0)
        found = converted.states([ids])[0].mean(0)
        if agreement(np.stack([exact.numpy()]), np.stack([found.numpy()])) < LEAST_AGREEMENT["int8"]:
            raise ModelUnusable(f"The conversion of {model.label} gives other vectors than the model itself.")
