"""Magnitude pruning (Han et al. 2015): of all matrices of a model's layers together the smallest weights become zero.

The matrices keep their shape, so the file stays as large and computing takes as long: a CPU multiplies by zero as by
anything else. What it shows is how much of a model can be spared; structured pruning makes use of that.
"""

from __future__ import annotations

import torch
from torch import nn


def matrices(model: nn.Module) -> list[nn.Parameter]:
    """The weights of the layers below the head; neither embeddings nor biases, nor the head itself."""
    body = getattr(model, "base_model", model)
    return [module.weight for module in body.modules() if isinstance(module, nn.Linear)]


def sparsity(model: nn.Module) -> float:
    """The share of those weights that are zero."""
    counts = [(int((weight == 0).sum()), weight.numel()) for weight in matrices(model)]
    return sum(zeros for zeros, _ in counts) / max(1, sum(all_ for _, all_ in counts))


@torch.no_grad()
def prune(model: nn.Module, share: float) -> None:
    """Set the `share` of them with the smallest absolute value to zero, in place; exactly so many, to the weight."""
    weights = matrices(model)
    sizes = torch.cat([weight.abs().flatten() for weight in weights])
    smallest = sizes.topk(round(share * sizes.numel()), largest=False, sorted=False).indices
    kept = torch.ones_like(sizes, dtype=torch.bool)
    kept[smallest] = False
    begin = 0
    for weight in weights:
        weight.mul_(kept[begin : begin + weight.numel()].view_as(weight))
        begin += weight.numel()


def keep_zeros(model: nn.Module) -> None:
    """While the model is trained, what is zero in these weights stays zero: it is given no gradient. (AdamW moves a
    weight by its gradients and draws it towards zero, and both leave a zero where it is.)"""
    for weight in matrices(model):
        kept = weight != 0
        if weight.requires_grad and not bool(kept.all()):
            weight.register_hook(lambda gradient, kept=kept: gradient * kept)
