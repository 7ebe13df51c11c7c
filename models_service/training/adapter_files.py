"""The files of a LoRA adapter as they are kept: small, and without a path of the machine that made them."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file, save_file


def slim(folder: Path, base: str) -> None:
    """Name the base as it was asked for, and keep the weights in float16.

    That is half the size, and eleven significant bits are more than an adapter is computed with.
    """
    config, weights = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    values = json.loads(config.read_text())
    values["base_model_name_or_path"] = base
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")
    tensors = {name: tensor.half() for name, tensor in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})
