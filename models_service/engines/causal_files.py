"""A causal language model from its folder: a whole one, or a base model with an adapter."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from models_service.engines import quantized
from models_service.engines.precision import device, has_bfloat16
from models_service.model_files import BITS, Bits, ModelUnusable, adapter_base, tokenizer_folder


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
    return read_causal(directory, dtype, bits) if bits else read_causal(directory, dtype).to(device())


def read_causal(
    directory: Path, dtype: torch.dtype = torch.float32, bits: Bits | None = None
) -> torch.nn.Module:
    """
    Args:
        bits: in which the inner weights are held, on the device that computes. An adapter then stays beside its base
            unmerged, for the sum of the two would have to be quantized anew.

    Raises:
        ModelUnusable: the files are no such model, or do not fit each other; or bitsandbytes is not installed.
    """
    base = adapter_base(directory)
    how = quantized.loading(bits, dtype) if bits else {}
    try:
        model = AutoModelForCausalLM.from_pretrained(base or directory, use_safetensors=True, dtype=dtype, **how)
    except (OSError, ValueError) as problem:
        raise ModelUnusable(f"{base or directory} is no causal language model: {problem}") from None
    if base is None:
        return model
    from peft import PeftModel

    try:
        adapted = PeftModel.from_pretrained(model, str(directory))
        return adapted.get_base_model() if bits else adapted.merge_and_unload()
    except (OSError, ValueError, RuntimeError) as problem:
        raise ModelUnusable(f"{directory} does not fit its base model: {problem}") from None


def read_tokenizer(directory: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tokenizer_folder(directory))
