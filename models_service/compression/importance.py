"""How much each inner neuron and each layer of an encoder matters, measured on data.

By gradients where there is a loss: how far the loss would move, to first order, if a neuron fell silent (Molchanov
et al. 2017; Michel et al. 2019 do the same to heads). Over an example's tokens gains and losses are added up before
their size counts. Without a loss: a neuron by how strong it is and how much of it goes on (Sun et al. 2024), a layer
by how far it turns what passes through it (Men et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cosine_similarity

from models_service.training.shrinking import layers_of


@dataclass
class Importance:
    """`neurons`: a tensor (inner neurons,) for each layer; `layers`: (layers,). Larger matters more; only those of
    one tensor are comparable."""

    neurons: list[torch.Tensor]
    layers: torch.Tensor


def by_gradients(model: nn.Module, losses: Iterable[Callable[[], torch.Tensor]]) -> Importance:
    """Each of `losses` computes the mean loss of one batch with `model`, whose weights are left as they are."""
    found = _nothing(model)
    model.requires_grad_(False)
    with _watched(model, keeps_gradients=True) as seen:
        for loss in losses:
            loss().backward()
            for number, (given, inner, out) in enumerate(seen):
                rows = inner.shape[0]  # the loss is their mean, so each row's share of it is that much smaller
                found.neurons[number] += rows * (inner * inner.grad).detach().sum(1).abs().sum(0)
                found.layers[number] += rows * ((out - given) * out.grad).detach().sum((1, 2)).abs().sum()
    return found


@torch.no_grad()
def by_activations(model: nn.Module, texts: Iterable[dict[str, torch.Tensor]]) -> Importance:
    """`texts`: the inputs of one text each, without padding."""
    found = _nothing(model)
    with _watched(model) as seen:
        for inputs in texts:
            model(**inputs)
            for number, (given, inner, out) in enumerate(seen):
                found.neurons[number] += inner.square().sum((0, 1))
                found.layers[number] += (1 - cosine_similarity(given, out, dim=-1)).sum()
    for number, layer in enumerate(layers_of(model)):
        found.neurons[number] = found.neurons[number].sqrt() * layer.output.dense.weight.norm(dim=0)
    return found


def _nothing(model: nn.Module) -> Importance:
    layers = layers_of(model)
    where = next(model.parameters()).device
    return Importance([torch.zeros(model.config.intermediate_size, device=where) for _ in layers],
                      torch.zeros(len(layers), device=where))


@contextmanager
def _watched(model: nn.Module, *, keeps_gradients: bool = False) -> Iterator[list[tuple[torch.Tensor, ...]]]:
    """After each forward pass: what each layer was given, its inner neurons, what it made of it."""
    layers = layers_of(model)
    seen: list[tuple[torch.Tensor, ...]] = [()] * len(layers)
    inner: dict[int, torch.Tensor] = {}
    handles = []

    def kept(value: torch.Tensor) -> torch.Tensor:
        if keeps_gradients:
            value.retain_grad()
        return value

    for number, layer in enumerate(layers):
        def see_inner(_module: nn.Module, _given: object, out: torch.Tensor, number: int = number) -> None:
            inner[number] = kept(out)

        def see(_module: nn.Module, given: tuple[torch.Tensor, ...], out: torch.Tensor, number: int = number) -> None:
            seen[number] = given[0], inner[number], kept(out)

        handles += [layer.intermediate.register_forward_hook(see_inner), layer.register_forward_hook(see)]
    if keeps_gradients:  # the weights get none; the way back ends at the embeddings
        handles.append(model.base_model.embeddings.register_forward_hook(lambda _m, _g, out: out.requires_grad_()))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
