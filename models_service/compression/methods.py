"""The ways to compress a finished model, and what can be set for each. Imports no model library."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, Field

from models_service.training.settings import DISTILLING_RATE


class QuantizeSettings(BaseModel):
    """The same model in a smaller number format."""

    form: str = Field("int8", pattern="^(int8|bfloat16)$",
                      description="int8 computes in 8 bits, which each machine makes from the exact weights; "
                      "bfloat16 saves them in 16 bits, half the size")


class RecoverySettings(BaseModel):
    """Of a reader that has lost weights: it may learn again, from the original and from data."""

    recovery_epochs: int = Field(0, ge=0, le=20, description="of a reader: how often all examples are seen "
                                 "afterwards, to learn again from the original; 0: not at all")
    learning_rate: float = Field(DISTILLING_RATE, gt=0, description="of the recovery: peak, after the warm-up")
    batch_size: int = Field(16, gt=0, description="windows of text in one step")
    max_steps: int | None = Field(None, gt=0, description="end the recovery after so many steps")
    seed: int = Field(13, description="of every random choice")


class PruneSettings(RecoverySettings):
    """Structured pruning: what is taken out is really gone, so the matrices are smaller."""

    share: float = Field(0.3, ge=0, lt=1, description="of each layer's inner neurons that go, the least important")
    drop_layers: int = Field(0, ge=0, description="whole layers that go, the least important ones")
    examples: int = Field(256, gt=0, description="rows of the data that importance is measured on")


class MagnitudeSettings(RecoverySettings):
    """Magnitude pruning: the smallest weights become zero. Neither file nor time shrinks by that alone."""

    sparsity: float = Field(0.5, gt=0, lt=1, description="share of the weights in the layers that become zero")


class DistilSettings(BaseModel):
    """A smaller reader that learns from the larger one and from data."""

    layers: int | None = Field(None, gt=0, description="that the smaller reader keeps (default: half)")
    feed_forward: float = Field(1.0, gt=0, le=1, description="share of the inner neurons that it keeps, those with "
                                "the largest weights")
    epochs: int = Field(2, gt=0, description="how often all examples are seen")
    learning_rate: float = Field(DISTILLING_RATE, gt=0, description="peak, reached after the warm-up")
    batch_size: int = Field(24, gt=0, description="windows of text in one step")
    max_steps: int | None = Field(None, gt=0, description="end after so many steps, whatever the epochs say")
    seed: int = Field(13, description="of every random choice")


@dataclass(frozen=True)
class Method:
    """`kinds` are those of the models that it can be used on."""

    settings: type[BaseModel]
    kinds: tuple[str, ...]
    told: str


_ENCODERS = ("reader", "encoder", "classifier", "reranker")
METHODS = {
    "quantize": Method(QuantizeSettings, ("reader", "encoder"), "the same model in a smaller number format"),
    "prune": Method(PruneSettings, _ENCODERS, "neurons and layers that matter least are taken out"),
    "magnitude": Method(MagnitudeSettings, _ENCODERS, "the smallest weights become zero; nothing is quicker by it"),
    "distil": Method(DistilSettings, ("reader",), "a smaller model that learns from the larger one"),
}


def methods_for(kind: str) -> list[str]:
    return [name for name, method in METHODS.items() if kind in method.kinds]


def needs_data(method: str, settings: BaseModel) -> bool:
    """Whether it cannot be done without rows to learn on or to measure importance on."""
    return method in ("prune", "distil") or getattr(settings, "recovery_epochs", 0) > 0
