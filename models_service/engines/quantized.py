"""A causal model whose inner weights are held in 8 or 4 bits by bitsandbytes, for a card or a machine that is small.

8 bits are LLM.int8() (Dettmers et al. 2022), 4 bits are NF4 with scales quantized too (Dettmers et al. 2023, QLoRA).
Embeddings and the last layer keep the format that is computed in. An adapter stays beside its base unmerged, for the
sum of the two would have to be quantized anew.
"""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Literal, get_args

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from models_service.engines.precision import device
from models_service.model_files import ModelUnusable, adapter_base

Bits = Literal["int8", "nf4"]
BITS: tuple[Bits, ...] = get_args(Bits)
WANTED = "bitsandbytes==0.50.2"


def read_quantized(directory: Path, bits: Bits, dtype: torch.dtype) -> torch.nn.Module:
    """
    Args:
        dtype: of what is not quantized, and of the computation.

    Raises:
        ModelUnusable: bitsandbytes is not installed, or the files are no causal language model.
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelUnusable(f"Weights in {bits} need bitsandbytes, which is not installed: pip install {WANTED}.")
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)  # it warns at every product
    base = adapter_base(directory)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base or directory, use_safetensors=True, dtype=dtype, device_map={"": device()},
            quantization_config=quantization(bits, dtype),
        )
    except (OSError, ValueError) as problem:
        raise ModelUnusable(f"{base or directory} is no causal language model: {problem}") from None
    if base is None:
        return model
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(directory)).get_base_model()
    except (OSError, ValueError, RuntimeError) as problem:
        raise ModelUnusable(f"{directory} does not fit its base model: {problem}") from None


def quantization(bits: Bits, dtype: torch.dtype) -> BitsAndBytesConfig:
    if bits == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                              bnb_4bit_compute_dtype=dtype)
