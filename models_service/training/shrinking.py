"""Encoders of the BERT family made smaller: whole layers and whole inner neurons of the feed-forward parts go.

Structured pruning: the matrices are smaller and computing is quicker without any special library, and config.json
says their sizes, so that plain transformers reads what is left. That is why attention heads stay: a configuration of
this family has no place for fewer heads of the same size (transformers 5 has no `prune_heads` any more).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

MULTIPLE = 8
"""Neurons are kept in groups of so many, which suits the processors' vectors."""


def layers_of(model: nn.Module) -> nn.ModuleList:
    """Raises ValueError: the model is of another family."""
    there = getattr(getattr(getattr(model, "base_model", model), "encoder", None), "layer", None)
    if not isinstance(there, nn.ModuleList) or not hasattr(there[0], "intermediate"):
        raise ValueError("only a model of the BERT family can be made smaller")
    return there


def shrink(model: nn.Module, layers: int, feed_forward: float) -> nn.Module:
    """A copy with `layers` of its layers, evenly spaced, the last always; and in each the share `feed_forward` of the
    inner neurons, those with the largest weights.

    Raises:
        ValueError: the model is of another family, or has fewer layers.
    """
    there = layers_of(model)
    if not 1 <= layers <= len(there):
        raise ValueError(f"the model has {len(there)} layers, so it can keep 1 to {len(there)}")
    small = copy.deepcopy(model)
    keep_layers(small, [round((number + 1) * len(there) / layers) - 1 for number in range(layers)])
    wanted = neurons_to_keep(small, feed_forward)
    keep_neurons(small, [_strongest(layer, wanted) for layer in layers_of(small)])
    return small


def neurons_to_keep(model: nn.Module, share: float) -> int:
    """Of a layer's inner neurons, in whole groups."""
    inner = model.config.intermediate_size
    return min(inner, max(1, round(share * inner / MULTIPLE)) * MULTIPLE)


def keep_layers(model: nn.Module, numbers: Sequence[int]) -> None:
    """Take out all layers but these, in place."""
    there = layers_of(model)
    model.base_model.encoder.layer = nn.ModuleList([there[number] for number in numbers])
    model.config.num_hidden_layers = len(numbers)


def keep_neurons(model: nn.Module, kept: Sequence[torch.Tensor]) -> None:
    """Take out all inner neurons but these, in place. `kept`: for each layer their numbers, as many in each layer,
    for the configuration has one number for all."""
    for layer, numbers in zip(layers_of(model), kept, strict=True):
        _narrow(layer, numbers.sort().values)
    model.config.intermediate_size = len(kept[0])


def _strongest(layer: nn.Module, neurons: int) -> torch.Tensor:
    """A neuron's size is that of the weights into it times that of the weights out of it."""
    size = layer.intermediate.dense.weight.norm(dim=1) * layer.output.dense.weight.norm(dim=0)
    return size.topk(neurons).indices


@torch.no_grad()
def _narrow(layer: nn.Module, kept: torch.Tensor) -> None:
    rising, falling = layer.intermediate.dense, layer.output.dense
    layer.intermediate.dense = _linear(rising.weight[kept], rising.bias[kept])
    layer.output.dense = _linear(falling.weight[:, kept], falling.bias)


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0], device=weight.device, dtype=weight.dtype)
    made.weight.copy_(weight)
    made.bias.copy_(bias)
    return made
