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
    "schedule": _("Schedule of the rate"),
    "optimizer": _("Optimizer"),
    "accumulation": _("Batches added up"),
    "l1": _("L1 penalty"),
    "early_stopping": _("Early stopping"),
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
    "vocabulary_size": _("Vocabulary"),
    "hidden_size": _("Hidden size"),
    "feed_forward_size": _("Feed-forward size"),
    "heads": _("Attention heads"),
    "encoder_layers": _("Encoder layers"),
    "decoder_layers": _("Decoder layers"),
    "dropout": _("Dropout"),
    "label_smoothing": _("Label smoothing"),
    "joined_share": _("Joined sentences"),
    "segmentation_alpha": _("Subword regularization"),
    "batch_tokens": _("Tokens in a batch"),
    "projection": _("Projection"),
    "temperature": _("Temperature"),
    "language": _("Language"),
    "context": _("Block length"),
    "vocabulary": _("Vocabulary"),
    "hidden": _("Hidden size"),
    "layers": _("Layers"),
    "feed_forward": _("Inner neurons to keep"),
    "class_weights": _("Weights of the labels"),
    "labels": _("Labels"),
    "private_epsilon": _("Privacy: epsilon"),
    "private_delta": _("Privacy: delta"),
    "token_dropout": _("Copies with words left out"),
    "spelling_noise": _("Misspelt copies"),
    "mined_negatives": _("Wrong passages looked for"),
    "beta": _("Beta"),
    "sft_weight": _("Weight of the chosen answers"),
}
HELP = {
    "base": _("The model that is trained further. A served version goes on from what people use now; an encoder "
              "or a new model starts from nothing and needs thousands of examples."),
    "method": _("lora trains small added matrices: quick, and little is forgotten. full trains all weights: slower, "
                "for much data."),
    "epochs": _("How often all examples are seen. Too often, and they are learned by heart."),
    "max_steps": _("End after so many steps, whatever the epochs say. Empty: no limit."),
    "batch_size": _("Examples in one step. Larger is steadier and needs more memory."),
    "learning_rate": _("How far one step goes at most. Too high forgets what was known; too low learns nothing."),
    "warmup": _("Share of the steps in which the rate rises from zero."),
    "weight_decay": _("How strongly weights are drawn to zero, against learning by heart."),
    "schedule": _("After the warm-up the rate falls to zero, in a line or along a cosine, or stays."),
    "optimizer": _("adamw suits nearly everything. adafactor needs less memory. sgd is plain descent with "
                   "momentum and wants a rate of its own."),
    "accumulation": _("So many batches count as one: what a larger batch would give, in the memory of a small one."),
    "l1": _("Penalty on the weights’ absolute values; it draws small ones to zero. 0: none."),
    "early_stopping": _("End after so many evaluations in a row that were no better, and keep the weights that did "
                        "best. 0: train to the end."),
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
    "vocabulary_size": _("Pieces of words that a new model knows, for all its languages together."),
    "hidden_size": _("Numbers that a layer works with. More can learn more, and take longer."),
    "feed_forward_size": _("Numbers in the middle of each layer of a new model."),
    "heads": _("Attention heads of each layer of a new model."),
    "encoder_layers": _("Layers of a new model that read the source text."),
    "decoder_layers": _("Layers of a new model that write. They run once a token, so few are quick."),
    "dropout": _("Share of numbers that are left out at random while training, against learning by heart."),
    "label_smoothing": _("Share of the target that all other tokens get, so that the model is less sure of itself."),
    "joined_share": _("So many times as many examples of two to four sentences joined, so that longer texts are "
                      "translated whole."),
    "segmentation_alpha": _("How far the cutting into pieces is drawn at random. 0: always the likeliest; "
                            "otherwise the smaller, the more evenly."),
    "batch_tokens": _("Tokens in one step, padding included. Larger is steadier and needs more memory."),
    "projection": _("Numbers that a sentence’s vector is brought down to."),
    "temperature": _("How much better sentences count for more. Smaller: almost only the best one counts."),
    "language": _("Which side of parallel text is learned."),
    "context": _("Tokens of a block of text; of a new model also the longest text that it can read."),
    "vocabulary": _("Tokens that a new model knows."),
    "hidden": _("Numbers that a layer works with. More can learn more, and take longer."),
    "layers": _("Layers of a new model."),
    "feed_forward": _("Only for distil: the share of each layer’s inner neurons that the smaller model keeps."),
    "token_dropout": _("Share of the texts, or questions, of which a copy is learned too in which a tenth of the "
                       "words is missing. The job’s page shows examples."),
    "spelling_noise": _("Share of the texts, or questions, of which a misspelt copy is learned too, as people type. "
                        "The job’s page shows examples."),
    "mined_negatives": _("So many passages for each question that the base ranks high and that are not the right "
                         "one; the encoder learns to tell them apart. 0: only those that the data names."),
    "labels": _("The labels that there may be, with commas between. Empty: those of the data. A private training "
                "needs them named, unless it starts from a classifier."),
    "private_epsilon": _("Above 0 the training is differentially private: the model tells no more than this of any "
                         "one row of its training data. 8 is loose, 1 strict; the smaller, the worse the model, "
                         "above all with few rows. It covers neither the base model’s data, nor held-out rows, nor "
                         "the choice of settings, nor the job’s log and curves."),
    "private_delta": _("The chance with which that promise may fail; it must be below one over the number of rows. "
                       "Empty: one over ten times the number of rows."),
    "beta": _("How dear it is to move away from the base. Smaller moves further towards what is preferred, and "
              "forgets more; 0.1 is a usual choice."),
    "sft_weight": _("How much it counts, beside the preference itself, that the chosen answers stay likely. 0: not "
                    "at all. Raise it, to 1 for instance, where the answers get worse while the accuracy rises."),
    "class_weights": _("balanced lets each label count the same, however rare it is. none lets each text count the "
                       "same."),
}
_QLORA = _("lora trains small added matrices: quick, and little is forgotten. qlora does so on a base that is held "
           "in 4 bits, so that a larger one fits into the memory; it needs bitsandbytes. full trains all weights: "
           "slower, for much data.")
HELP_OF_ONE_TASK = {
    ("qa", "method"): _("lora trains small added matrices: quick, and little is forgotten. full trains all weights: "
                        "slower, for much data. distil makes a smaller, quicker reader that learns from the base; it "
                        "needs thousands of examples."),
    ("qa", "layers"): _("Only for distil: how many of the base’s layers the smaller model keeps. Empty: half."),
    ("classification", "base"): _("An encoder gets a new head for the labels of the data. A classifier of the same "
                                  "labels is trained further."),
    ("token-classification", "base"): _("An encoder gets a new head for the labels of the data. A classifier of the "
                                        "same labels is trained further."),
    ("token-classification", "max_length"): _("Tokens of a window: a longer text is learned from in several, which "
                                              "overlap. Memory grows with it."),
    ("classification", "max_length"): _("Tokens of a text that are learned from; the rest is cut off. Memory grows "
                                        "with it."),
    ("classification", "clip_norm"): _("Gradients longer than this are shortened to it, so that one odd batch does "
                                       "no harm; in a private training the gradient of each row."),
    ("retrieval", "base"): _("The encoder that is trained further. What is served now is a sound start."),
    ("retrieval", "batch_size"): _("Questions in one step. Each one’s passage is a wrong one for all the others, so "
                                   "that larger batches teach more, and need more memory."),
    ("retrieval", "max_length"): _("Tokens of a passage that are read; the rest is cut off. Memory grows with it."),
    ("retrieval", "temperature"): _("How hard the nearest wrong passages press. Smaller: almost only they count."),
    ("chat", "method"): _QLORA,
    ("preferences", "method"): _QLORA,
    ("preferences", "base"): _("The text generator that is trained further. It is also what the answers are compared "
                               "with, so begin from what is served."),
    ("preferences", "batch_size"): _("Pairs in one step, each with two answers to read. Larger is steadier and "
                                     "needs more memory."),
    ("preferences", "max_length"): _("Tokens of a conversation with its answer. Longer pairs are left out, and the "
                                     "log says how many. Memory grows with it."),
    ("preferences", "label_smoothing"): _("Share of the pairs that may be judged the wrong way round, below a half. "
                                          "Above 0 each judgement is trusted less."),
    ("preferences", "early_stopping"): _("End after so many evaluations in a row in which the loss of the held-out "
                                         "pairs was no lower, and keep the weights that did best. 0: train to the "
                                         "end."),
    ("summarize", "base"): _("The encoder that sentences are read with. It stays as it is."),
}
FIRST = ("base", "method", "epochs", "learning_rate", "batch_size", "max_steps")
"""Settings that are shown at once; the others are folded away."""
