"""The model of a classifier's training: an encoder with a new head, or a classifier that is trained further."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

from models_service.base_models import resolve
from models_service.engines.classifier import read_classifier
from models_service.engines.labelling import Task
from models_service.formats.files import FormatError
from models_service.formats.labelled import MOST_LABELS
from models_service.model_files import (
    CLASSIFYING_ADAPTERS,
    check_files,
    classifier_labels,
    kind_of,
    tokenizer_folder,
)
from models_service.training.adapter_files import slim
from models_service.training.run_folder import RunFolder
from models_service.training.settings_classification import LabellingSettings

KINDS = {"text": AutoModelForSequenceClassification, "tokens": AutoModelForTokenClassification}


@dataclass(frozen=True)
class LabellingModel:
    """`labels` are the names of the head's outputs, in their order."""

    model: torch.nn.Module
    tokenizer: PreTrainedTokenizerBase
    labels: list[str]
    is_adapted: bool

    def save(self, run: RunFolder, settings: LabellingSettings) -> None:
        """A whole model, or an adapter with its head; both with the names of the labels."""
        self.tokenizer.save_pretrained(run.model)
        if settings.method == "full":
            self.model.save_pretrained(run.model)
        elif settings.merge or self.is_adapted:
            copy.deepcopy(self.model).merge_and_unload().save_pretrained(run.model)
        else:
            self.model.save_pretrained(run.model)
            slim(run.model, settings.base)
            self.model.config.save_pretrained(run.model)


def open_model(settings: LabellingSettings, labels: Sequence[str], task: Task) -> LabellingModel:
    """Ready to be trained on data that has these labels.

    Raises:
        FormatError: there is nothing to tell apart, or the base is a classifier of other labels.
    """
    if not 2 <= len(labels) <= MOST_LABELS:
        raise FormatError(f"the data has {len(labels)} labels; a classifier needs 2 to {MOST_LABELS}")
    base = resolve(settings.base)
    folder = Path(base)
    is_adapted = (folder / "adapter_config.json").is_file()
    known = labels_of(folder, task)
    if known and set(labels) - set(known):
        new = ", ".join(sorted(set(labels) - set(known))[:10])
        raise FormatError(f"the base is a classifier that does not know {new}; start from an encoder instead")
    names = known or list(labels)
    missing: set[str] = set()
    if is_adapted:
        model = read_classifier(folder)
    else:
        if folder.is_dir():
            check_files(folder, settings.base)
        numbered = dict(enumerate(names))
        model, told = KINDS[task].from_pretrained(
            base, id2label=numbered, label2id={name: number for number, name in numbered.items()},
            use_safetensors=True, dtype=torch.float32, output_loading_info=True,
        )
        missing = {name.rpartition(".")[0] for name in told["missing_keys"]}
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder(folder) if is_adapted else base)
    if settings.method == "lora":
        model = _with_adapter(model, settings.rank, task, missing)
    else:
        model.get_input_embeddings().requires_grad_(False)
    return LabellingModel(model, tokenizer, names, is_adapted)


def labels_of(folder: Path, task: Task) -> list[str]:
    """Empty when the base is no classifier of this task."""
    if not folder.is_dir() or kind_of(folder) != "classifier":
        return []
    own, labels = classifier_labels(folder)
    return labels if own == task else []


def _with_adapter(model: torch.nn.Module, rank: int, task: Task, missing: set[str]) -> torch.nn.Module:
    """LoRA on every linear layer that the base brings; the head, and whatever else the base has no weights for, is
    trained and saved whole."""
    head = {name for name, part in model.named_children()
            if name != model.base_model_prefix and any(True for _ in part.parameters())}
    whole = head | {name for name in missing if name.split(".")[0] not in head}
    linear = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)
              and not any(name == one or name.startswith(f"{one}.") for one in whole)]
    return get_peft_model(model, LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=linear, modules_to_save=sorted(whole),
        task_type=next(name for name, one in CLASSIFYING_ADAPTERS.items() if one == task),
    ))
