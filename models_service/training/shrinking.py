"""A smaller copy of an encoder with a head, of the BERT family: fewer layers, narrower feed-forward parts.

Structured pruning: whole layers and whole inner neurons go, so the matrices are smaller and computing is quicker
without any special library. Weights that are merely set to zero would make a file no smaller and nothing faster.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

MULTIPLE = 8
"""Neurons are kept in groups of so many, which suits the processors' vectors."""


def shrink(model: nn.Module, layers: int, feed_forward: float) -> nn.Module:
    """A copy with `layers` of its layers, evenly spaced, the last always; and in each the share `feed_forward` of the
    inner neurons, those with the largest weights.

    Raises:
        ValueError: the model is of another family, or has fewer layers.
    """
    there = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if not isinstance(there, nn.ModuleList) or not hasattr(there[0], "intermediate"):
        raise ValueError("only a reader of the BERT family can be made smaller")
    if not 1 <= layers <= len(there):
        raise ValueError(f"the model has {len(there)} layers, so it can keep 1 to {len(there)}")
    small = copy.deepcopy(model)
    kept = [round((number + 1) * len(there) / layers) - 1 for number in range(layers)]
    small.base_model.encoder.layer = nn.ModuleList([small.base_model.encoder.layer[index] for index in kept])
    small.config.num_hidden_layers = layers
    inner = small.config.intermediate_size
    wanted = min(inner, max(1, round(feed_forward * inner / MULTIPLE)) * MULTIPLE)
    if wanted < inner:
        for layer in small.base_model.encoder.layer:
            _narrow(layer, wanted)
        small.config.intermediate_size = wanted
    return small


@torch.no_grad()
def _narrow(layer: nn.Module, neurons: int) -> None:
    """A neuron's size is that of the weights into it times that of the weights out of it."""
    rising, falling = layer.intermediate.dense, layer.output.dense
    size = rising.weight.norm(dim=1) * falling.weight.norm(dim=0)
    kept = size.topk(neurons).indices.sort().values
    layer.intermediate.dense = _linear(rising.weight[kept], rising.bias[kept])
    layer.output.dense = _linear(falling.weight[:, kept], falling.bias)


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device, dtype=weight.dtype)
    made.weight.copy_(weight)
    made.bias.copy_(bias)
    return made
