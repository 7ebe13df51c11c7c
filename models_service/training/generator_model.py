"""A text generator as trainings open it, give it an adapter, and save what came of it."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import PreTrainedTokenizerBase

from models_service.base_models import resolve
from models_service.engines.causal_files import read_causal, read_tokenizer
from models_service.model_files import adapter_base, check_files
from models_service.training.adapter_files import slim
from models_service.training.run_folder import RunFolder


def opened(base: str) -> tuple[torch.nn.Module, PreTrainedTokenizerBase]:
    """The model in float32, an adapter merged into its own base; and its tokenizer. Raises ModelUnusable."""
    place = Path(resolve(base))
    if place.is_dir():
        check_files(place, base)
    return read_causal(place), read_tokenizer(place)


def adapted(model: torch.nn.Module, rank: int) -> torch.nn.Module:
    """With LoRA matrices on every linear layer, which alone are trained."""
    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, task_type="CAUSAL_LM",
                                            target_modules="all-linear"))


def save(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, run: RunFolder, *, base: str, is_adapted: bool,
    merge: bool,
) -> None:
    """A whole model, or where it is adapted and not to be merged an adapter, unless the base is one itself."""
    model.config.use_cache = True
    tokenizer.save_pretrained(run.model)
    if is_adapted and (merge or adapter_base(Path(resolve(base))) is not None):
        copy.deepcopy(model).merge_and_unload().save_pretrained(run.model)
        return
    model.save_pretrained(run.model)
    if is_adapted:
        slim(run.model, base)
