"""What can be chosen when a causal language model is trained."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from models_service.training.settings import LoopSettings

CONTINUED_RATE = 5e-5
"""The default rate for training all the weights of a model that has learned before; more makes it forget."""


class CausalSettings(LoopSettings):
    """A causal training, whole."""

    base: str = Field("", description="package:NAME, a directory or a Hugging Face id; a new model when empty")
    data: list[Path] = Field(min_length=1, description="text, JSON Lines (text or messages) or SQuAD files")
    evaluation: Path | None = Field(None, description="a held-out file of such a form")
    evaluation_limit: int = Field(200, gt=0, description="texts of it")
    language: str = Field("en", pattern="^[a-z]{2,3}$", description="which side of parallel text is learned")
    method: str = Field("full", pattern="^(lora|qlora|full)$",
                        description="lora and qlora, which are small added matrices, only with a base; with qlora "
                        "the base is in 4 bits, which needs bitsandbytes")
    rank: int = Field(16, gt=0, description="of the LoRA matrices; alpha is twice it")
    merge: bool = Field(False, description="save a whole model instead of an adapter that needs its base")
    epochs: int = Field(1, gt=0, description="how often all texts are seen")
    batch_size: int = Field(16, gt=0, description="blocks of text in one step")
    context: int = Field(256, ge=16, description="tokens of a block; of a new model also the longest text")
    vocabulary: int = Field(4096, ge=300, description="tokens of a new model")
    hidden: int = Field(192, gt=0, description="width of a new model")
    layers: int = Field(4, gt=0, description="of a new model")
    heads: int = Field(4, gt=0, description="of a new model; it has half as many for keys and values")

    @model_validator(mode="after")
    def _fits_together(self) -> CausalSettings:
        if self.method != "full" and not self.base:
            raise ValueError(f"{self.method} adapts a model that there is: give a base, or choose the method full")
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError("hidden must be heads times an even number")
        if self.base and self.method == "full" and "learning_rate" not in self.model_fields_set:
            self.learning_rate = CONTINUED_RATE
        return self
