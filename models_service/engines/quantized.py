"""How a causal model's inner weights are held in 8 or 4 bits by bitsandbytes, for a card or a machine that is small.

8 bits are LLM.int8() (Dettmers et al. 2022), 4 bits are NF4 with scales quantized too (Dettmers et al. 2023, QLoRA).
Embeddings and the last layer keep the format that is computed in.
"""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from models_service.engines.precision import device
from models_service.model_files import Bits, ModelUnusable

WANTED = "bitsandbytes==0.50.2"


def loading(bits: Bits, dtype: torch.dtype) -> dict[str, Any]:
    """What `from_pretrained` is to be told, where `dtype` is what is computed in. Raises ModelUnusable without
    bitsandbytes."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelUnusable(f"Weights in {bits} need bitsandbytes, which is not installed: pip install {WANTED}.")
    logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)  # it warns at every product
    config = BitsAndBytesConfig(load_in_8bit=True) if bits == "int8" else BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype)
    return {"quantization_config": config, "device_map": {"": device()}}
