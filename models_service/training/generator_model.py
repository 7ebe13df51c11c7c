"""A text generator as trainings open it, give it an adapter, and save what came of it."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import PreTrainedTokenizerBase

from models_service.base_models import resolve
from models_service.engines.causal_files import read_causal, read_served, read_tokenizer
from models_service.model_files import ModelUnusable, adapter_base, check_files
from models_service.training.adapter_files import slim
from models_service.training.run_folder import RunFolder


def opened(base: str, method: str = "full") -> tuple[torch.nn.Module, PreTrainedTokenizerBase]:
    """The model in float32, an adapter merged into its own base; for qlora with its weights in 4 bits (Dettmers et
    al. 2023), a layer's inner values computed anew on the way back. And its tokenizer. Raises ModelUnusable."""
    place = Path(resolve(base))
    if place.is_dir():
        check_files(place, base)
    if method != "qlora":
        return read_causal(place), read_tokenizer(place)
    if adapter_base(place) is not None:
        raise ModelUnusable(f"{place.name} is an adapter, and qlora adapts a whole model: choose lora, or export the "
                            "version as safetensors first, which merges it.")
    model = prepare_model_for_kbit_training(read_served(place, "nf4"),
                                            gradient_checkpointing_kwargs={"use_reentrant": False})
    return model, read_tokenizer(place)


def adapted(model: torch.nn.Module, rank: int) -> torch.nn.Module:
    """With LoRA matrices on every linear layer, which alone are trained."""
    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, task_type="CAUSAL_LM",
                                            target_modules="all-linear"))


def save(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, run: RunFolder, *, base: str, method: str, merge: bool
) -> None:
    """A whole model, or where it is adapted and not to be merged an adapter, unless the base is one itself."""
    is_adapted = method != "full"
    model.config.use_cache = True
    tokenizer.save_pretrained(run.model)
    if is_adapted and (merge or adapter_base(Path(resolve(base))) is not None):
        _merged(model, run, is_quantized=method == "qlora").save_pretrained(run.model)
        return
    model.save_pretrained(run.model)
    if is_adapted:
        slim(run.model, base)


def _merged(model: torch.nn.Module, run: RunFolder, *, is_quantized: bool) -> torch.nn.Module:
    """The whole model. What was learned on 4 bits is added to the base's own weights, not to the quantized ones."""
    if not is_quantized:
        return copy.deepcopy(model).merge_and_unload()
    with tempfile.TemporaryDirectory(dir=run.path) as adapter:
        model.save_pretrained(adapter)
        return read_causal(Path(adapter))
