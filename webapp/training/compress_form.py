"""The form that compresses a version, made from a method's own settings; what each does, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from models_service.compression.methods import METHODS, RecoverySettings
from webapp.training.launch_form import Setting, read_field

NAMES = {
    "quantize": _("Smaller numbers"), "prune": _("Take parts out"), "magnitude": _("Zero small weights"),
    "distil": _("Teach a smaller model"),
}
TOLD = {
    "quantize": _("The same model in a smaller number format. In 8 bits it takes less memory and is quicker on "
                  "processors that are made for it; its files stay, for each machine makes its 8 bits from them. "
                  "bfloat16 halves the files."),
    "prune": _("The inner neurons and layers that matter least on your data are taken out, so that the model is "
               "really smaller and quicker. The more goes, the more a training afterwards is needed."),
    "magnitude": _("The smallest weights become zero. It shows how much of the model can be spared; file and time "
                   "stay as they are, for a processor multiplies by zero as by anything else."),
    "distil": _("Layers are taken out, and what is left learns from the larger reader and from your data. It needs "
                "thousands of questions and the time of a training."),
}
LABELS = {
    "form": _("Number format"), "share": _("Inner neurons to take out"), "drop_layers": _("Layers to take out"),
    "examples": _("Examples for importance"), "sparsity": _("Weights to zero"),
    "recovery_epochs": _("Epochs of training afterwards"), "learning_rate": _("Learning rate"),
    "batch_size": _("Batch size"), "max_steps": _("Most steps"), "seed": _("Seed"), "layers": _("Layers to keep"),
    "feed_forward": _("Inner neurons to keep"), "epochs": _("Epochs"),
}
HELP = {
    "form": _("int8 is for readers and encoders of the BERT family on a CPU. Where it is not close enough to the "
              "exact model, the job fails and nothing changes."),
    "share": _("Share of each layer’s inner neurons, 0 to 1. Those go whose absence would change the loss least."),
    "drop_layers": _("Whole layers that go, the least important ones. Each saves about as much time as it took."),
    "examples": _("Rows of the data set on which importance is measured. A few hundred suffice."),
    "sparsity": _("Share of the weights in the layers that become zero, 0 to 1: the smallest of all of them."),
    "recovery_epochs": _("Only for readers: how often the training rows are seen afterwards, so that what is left "
                         "learns again from the original. 0: not at all."),
    "learning_rate": _("How far one step of the training goes at most."),
    "batch_size": _("Examples in one step. Larger is steadier and needs more memory."),
    "max_steps": _("End the training after so many steps, whatever the epochs say. Empty: no limit."),
    "seed": _("Decides every random choice. The same seed and data give the same model."),
    "layers": _("How many of the layers the smaller model keeps. Empty: half."),
    "feed_forward": _("Share of each layer’s inner neurons that the smaller model keeps."),
    "epochs": _("How often all examples are seen. Too often, and they are learned by heart."),
}


def settings_of(method: str, given: Mapping[str, Any], errors: Mapping[str, str] | None = None) -> list[Setting]:
    """The method's settings, what it does before what comes after, filled with what was given before."""
    fields = METHODS[method].settings.model_fields
    own = [*(name for name in fields if name not in RecoverySettings.model_fields),
           *(name for name in fields if name in RecoverySettings.model_fields)]
    return [read_field(Setting(name, str(LABELS[name]), str(HELP[name]), "text", "", "",
                               error=(errors or {}).get(name, "")), fields[name], given.get(name))
            for name in own]
