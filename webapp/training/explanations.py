"""The settings of a fine-tune in words: a label and an explanation for each, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

LABELS = {
    "base": _("Start from"),
    "method": _("Method"),
    "epochs": _("Epochs"),
    "max_steps": _("Most steps"),
    "batch_size": _("Batch size"),
    "learning_rate": _("Learning rate"),
    "warmup": _("Warm-up"),
    "weight_decay": _("Weight decay"),
    "clip_norm": _("Gradient clipping"),
    "precision": _("Number format"),
    "checkpoint_seconds": _("Seconds between checkpoints"),
    "evaluate_every": _("Steps between evaluations"),
    "evaluation_limit": _("Examples of an evaluation"),
    "seed": _("Seed"),
    "rank": _("LoRA rank"),
    "max_length": _("Window length"),
    "stride": _("Window overlap"),
    "unanswerable_share": _("Unanswerable share"),
    "beta2": _("AdamW’s beta2"),
    "averaging": _("Averaging of weights"),
    "pairs": _("Language pairs"),
}
HELP = {
    "base": _("The model that is trained further. A served version goes on from what people use now; an encoder "
              "starts from nothing and needs thousands of examples."),
    "method": _("lora trains small added matrices: quick, and little is forgotten. full trains all weights: slower, "
                "for much data."),
    "epochs": _("How often all examples are seen. More than three seldom helps."),
    "max_steps": _("End after so many steps, whatever the epochs say. Empty: no limit."),
    "batch_size": _("Examples in one step. Larger is steadier and needs more memory."),
    "learning_rate": _("How far one step goes at most. Too high forgets what was known; too low learns nothing."),
    "warmup": _("Share of the steps in which the rate rises from zero."),
    "weight_decay": _("How strongly weights are drawn to zero, against learning by heart."),
    "clip_norm": _("Gradients longer than this are shortened to it, so that one odd batch does no harm."),
    "precision": _("auto takes bfloat16 where the machine is fast in it, else float32."),
    "checkpoint_seconds": _("What is lost at most when the machine stops. Each checkpoint takes a moment."),
    "evaluate_every": _("How often the held-out rows are measured while training."),
    "evaluation_limit": _("How many held-out rows such a measurement takes. An evaluation of all is another job."),
    "seed": _("Decides every random choice. The same seed and data give the same model."),
    "rank": _("Size of the added matrices. Larger can learn more, and more by heart."),
    "max_length": _("Tokens that are read at once, question and passage together. Memory grows with it."),
    "stride": _("Tokens that two windows of a long passage share."),
    "beta2": _("How long the optimizer remembers the size of gradients."),
    "averaging": _("Decay of the weights’ running mean, which is what is saved. 0: none."),
    "pairs": _("Directions to train, such as en-de de-en. Empty: English to and from all others."),
    "unanswerable_share": _("Questions also asked beside a wrong passage, so that the model learns to say no."),
}
FIRST = ("base", "method", "epochs", "learning_rate", "batch_size", "max_steps")
"""Settings that are shown at once; the others are folded away."""
