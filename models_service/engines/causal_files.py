"""A causal language model from its folder: a whole one, or a base model with an adapter merged into it."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from models_service.engines.precision import device, has_bfloat16
from models_service.engines.quantized import BITS, read_quantized
from models_service.model_files import ModelUnusable, adapter_base, tokenizer_folder


def pick_dtype(wanted: str = "auto") -> torch.dtype:
    """By itself: bfloat16 on a card that computes it, else float32, in which every processor gives the same; so also
    beside weights in fewer bits."""
    if wanted not in ("auto", *BITS):
        return getattr(torch, wanted)
    where = device()
    return torch.bfloat16 if where.type == "cuda" and has_bfloat16(where) else torch.float32


def read_served(directory: Path, wanted: str = "auto") -> torch.nn.Module:
    """In the number format that is wanted, where it is to compute. Raises ModelUnusable."""
    bits = next((one for one in BITS if one == wanted), None)
    dtype = pick_dtype(wanted)
    return read_quantized(directory, bits, dtype) if bits else read_causal(directory, dtype).to(device())


def read_causal(directory: Path, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """Raises ModelUnusable."""
    base = adapter_base(directory)
    try:
        model = AutoModelForCausalLM.from_pretrained(base or directory, use_safetensors=True, dtype=dtype)
    except (OSError, ValueError) as problem:
        raise ModelUnusable(f"{base or directory} is no causal language model: {problem}") from None
    if base is None:
        return model
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(directory)).merge_and_unload()
    except (OSError, ValueError, RuntimeError) as problem:
        raise ModelUnusable(f"{directory} does not fit its base model: {problem}") from None


def read_tokenizer(directory: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tokenizer_folder(directory))
