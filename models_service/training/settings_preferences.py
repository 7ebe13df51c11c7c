"""What can be chosen when a text generator learns from preferences. Imports no model library."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from models_service.training.settings import LoopSettings

FULL_RATE = 1e-6
"""The default rate for training all the weights, as Rafailov et al. 2023 have it (appendix B)."""


class PreferencesSettings(LoopSettings):
    """A training from preferences (DPO), whole."""

    base: str = Field(min_length=1, description="package:NAME, a directory or a Hugging Face id of a text generator "
                      "with a chat template")
    data: list[Path] = Field(min_length=1, description="JSON Lines, CSV or Parquet: prompt (or messages), chosen, "
                             "rejected")
    evaluation: Path | None = Field(None, description="a held-out file of the same format")
    evaluation_limit: int = Field(200, gt=0, description="held-out pairs that an evaluation while training takes")
    method: str = Field("lora", pattern="^(lora|qlora|full)$",
                        description="lora trains small added matrices, full the weights themselves; with "
                        "qlora the base is in 4 bits, which needs bitsandbytes")
    rank: int = Field(16, gt=0, description="of the LoRA matrices; alpha is twice it")
    merge: bool = Field(False, description="save a whole model instead of an adapter that needs its base")
    beta: float = Field(0.1, gt=0, description="how dear it is to move away from the base: a smaller one moves "
                        "further")
    label_smoothing: float = Field(0.0, ge=0, lt=0.5, description="share of the pairs that are taken to be judged "
                                   "the wrong way round")
    sft_weight: float = Field(0.0, ge=0, description="of the chosen answers' cross-entropy (nats a token), which is "
                              "added to the loss and keeps them likely")
    epochs: int = Field(1, gt=0, description="how often all pairs are seen")
    batch_size: int = Field(8, gt=0, description="pairs in one step")
    max_length: int = Field(1024, ge=16, description="tokens of a conversation with an answer; longer pairs are left "
                            "out")
    learning_rate: float = Field(5e-5, gt=0, description="peak, reached after the warm-up")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps that raise the rate from zero")
    weight_decay: float = Field(0.0, ge=0, description="how much weights are drawn to zero, times the rate")

    @model_validator(mode="after")
    def _rate_of_all_weights(self) -> PreferencesSettings:
        if self.method == "full" and "learning_rate" not in self.model_fields_set:
            self.learning_rate = FULL_RATE
        return self
