"""What files a model directory must consist of, and what they say of it.

Reads JSON and bytes only; imports no model library.
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any, Literal

from models_service.base_models import resolve
from models_service.protocol import Calibration

CALIBRATION_FILE = "calibration.json"
CARD_FILE = "card.json"
TRANSLATOR_FILE = "translator.json"
"""The pairs of languages that a translator offers."""
FORM_FILE = "form.json"
"""The form that a version is to be computed in, where it was made for one."""
Kind = Literal["encoder", "reader", "reranker", "summarizer", "translator", "generator", "classifier"]
Form = Literal["float32", "bfloat16", "int8"]
"""In which an encoder or a reader computes."""
FORMS: tuple[Form, ...] = ("float32", "bfloat16", "int8")
Bits = Literal["int8", "nf4"]
"""In which a generator's inner weights can be held."""
BITS: tuple[Bits, ...] = ("int8", "nf4")
LEAST_AGREEMENT: dict[Form, float] = {"float32": 0.999, "bfloat16": 0.999, "int8": 0.99}
"""Cosine between what a form gives and what another than 8 bits gives, on this machine or another."""
TRANSLATING = frozenset(("MarianMTModel", "M2M100ForConditionalGeneration", "MBartForConditionalGeneration"))
"""Architectures of translators; others translate when their folder says so."""
SCORER = "SentenceScorer"
"""The architecture that a summarizer's config.json names."""
SAMPLES_FILE = "samples.json"
CLASSIFYING = ("ForSequenceClassification", "ForTokenClassification")
CLASSIFYING_ADAPTERS: dict[Any, Literal["text", "tokens"]] = {"SEQ_CLS": "text", "TOKEN_CLS": "tokens"}
OUTER = ("embed", "wte", "wpe", "lm_head", "embed_out")
"""Parts of the names of a causal model's first and last matrices."""
HEADS = ("classifier.weight", "score.weight", "classifier.out_proj.weight")
"""How a classifier's last layer may be named."""


class ModelMissing(LookupError):
    """There is no such model here; the sentence says how to get it."""


class ModelUnusable(Exception):
    """The model's files are there and cannot be used; the sentence says why."""


def check_files(folder: Path, name: str) -> None:
    """An adapter or a whole model, in safetensors. A pickle runs whatever its author put in, so none is read.

    Raises:
        ModelMissing: there is no such folder.
        ModelUnusable: it holds no model, or not as safetensors.
    """
    if not folder.is_dir():
        raise ModelMissing(
            f"The model {name} is not installed. `python manage.py finetune qa` trains a reader, `finetune "
            "translate` a translator; a folder that holds a model is put under this name by "
            f"`python manage.py models register FOLDER --name {name}`."
        )
    if (folder / "adapter_config.json").is_file():
        weights, pickles = "adapter_model.safetensors", ("adapter_model.bin",)
    elif (folder / "config.json").is_file():
        weights, pickles = "model.safetensors", ("pytorch_model.bin", "pytorch_model.bin.index.json")
        if (folder / "model.safetensors.index.json").is_file():
            return
    else:
        raise ModelUnusable(f"{folder} holds no model: neither config.json nor adapter_config.json is there.")
    if (folder / weights).is_file():
        return
    found = next((pickle for pickle in pickles if (folder / pickle).is_file()), None)
    if found:
        raise ModelUnusable(f"{folder} holds {found}, a pickle, which may run anything; save it as safetensors.")
    raise ModelUnusable(f"{folder} holds no {weights}.")


def adapter_base(folder: Path) -> str | None:
    """The directory or Hugging Face id of the model that an adapter adapts; None when `folder` is a whole model."""
    file = folder / "adapter_config.json"
    if not file.is_file():
        return None
    base = read_object(file).get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ModelUnusable(f"{file} does not name its base model.")
    found = resolve(base)
    if Path(found).is_dir():
        check_files(Path(found), base)
    return found


def tokenizer_folder(folder: Path) -> str | Path:
    """An adapter without a tokenizer of its own uses its base model's."""
    own = any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json"))
    return folder if own else adapter_base(folder) or folder


def scorer_base(folder: Path) -> str | None:
    """The directory or Hugging Face id of the encoder that a summarizer's sentence scorer looks at; else None."""
    file = folder / "config.json"
    config = read_object(file) if file.is_file() else {}
    if SCORER not in (config.get("architectures") or ()):
        return None
    base = config.get("encoder")
    if not isinstance(base, str) or not base:
        raise ModelUnusable(f"{file} does not name its encoder.")
    found = resolve(base)
    if Path(found).is_dir():
        check_files(Path(found), base)
    return found


def base_of(folder: Path) -> str | None:
    """The model that the one in `folder` is loaded on top of; None when it is whole."""
    return adapter_base(folder) or scorer_base(folder)


def calibration(folder: Path) -> Calibration | None:
    """What lies beside a reader's weights; None when nothing does. Raises ModelUnusable when it cannot be read."""
    file = folder / CALIBRATION_FILE
    if not file.is_file():
        return None
    try:
        return Calibration.model_validate_json(file.read_bytes())
    except ValueError as problem:
        raise ModelUnusable(f"{file} is not a calibration: {problem}") from None


def told_form(folder: Path) -> Form | None:
    """What the version was made to be computed in; None for whatever is fastest. Raises ModelUnusable."""
    file = folder / FORM_FILE
    if not file.is_file():
        return None
    found = next((form for form in FORMS if form == read_object(file).get("form")), None)
    if found is None:
        raise ModelUnusable(f"{file} names no form; there are {', '.join(FORMS)}.")
    return found


def classifier_labels(folder: Path) -> tuple[Literal["text", "tokens"], list[str]]:
    """What a classifier labels, and with what: as its config.json says, or else, with an adapter, as many numbered
    labels as its head has rows. Raises ModelUnusable."""
    file = folder / "config.json"
    config = read_object(file) if file.is_file() else {}
    names = config.get("id2label") or {}
    labels = [names[number] for number in sorted(names, key=int)]
    if not (folder / "adapter_config.json").is_file():
        architectures = config.get("architectures") or []
        tokens = any(name.endswith(CLASSIFYING[1]) for name in architectures)
        return "tokens" if tokens else "text", labels or ["LABEL_0", "LABEL_1"]
    task = CLASSIFYING_ADAPTERS[read_object(folder / "adapter_config.json").get("task_type")]
    if labels:
        return task, labels
    rows = next((tensor["shape"][0] for name, tensor in _tensors(folder / "adapter_model.safetensors").items()
                 if name.endswith(HEADS)), 0)
    if not rows:
        raise ModelUnusable(f"{folder} holds an adapter without a head: nothing says which labels it gives.")
    return task, [f"LABEL_{number}" for number in range(rows)]


def kind_of(folder: Path) -> Kind:
    """What the model's own settings say it is. Raises ModelUnusable when that is nothing that is served here."""
    if (folder / "adapter_config.json").is_file():
        task = read_object(folder / "adapter_config.json").get("task_type")
        if task == "QUESTION_ANS":
            return "reader"
        if task == "CAUSAL_LM":
            return "generator"
        if task in CLASSIFYING_ADAPTERS:
            return "classifier"
        raise ModelUnusable(
            f"{folder} is an adapter for {task}; those for QUESTION_ANS, CAUSAL_LM, SEQ_CLS and TOKEN_CLS are served."
        )
    config = read_object(folder / "config.json")
    names = config.get("architectures") or []
    if any(name.endswith("ForQuestionAnswering") for name in names):
        return "reader"
    if SCORER in names:
        return "summarizer"
    if any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names):
        return "generator"
    # A configuration that names no labels means two.
    labels = len(config.get("id2label") or (0, 1))
    if any(name.endswith("ForSequenceClassification") for name in names) and labels == 1:
        return "reranker"
    if any(name.endswith(CLASSIFYING) for name in names):
        return "classifier"
    if (folder / TRANSLATOR_FILE).is_file() or any(name in TRANSLATING for name in names):
        return "translator"
    # An encoder is saved with or without the head that it was first trained with.
    if (folder / "modules.json").is_file() or any(name.endswith(("Model", "ForMaskedLM")) for name in names):
        return "encoder"
    what = ", ".join(names) or "model of an unknown kind"
    if what.endswith("ForConditionalGeneration"):
        raise ModelUnusable(
            f"{folder} is a {what}. If it translates, name each direction with --pair, as in --pair en-de."
        )
    raise ModelUnusable(
        f"{folder} is a {what}; encoders, readers, rerankers, classifiers, summarizers, translators and generators "
        "are served."
    )


def card(folder: Path) -> dict[str, Any]:
    """What its card says; nothing where it has none, or one that cannot be read."""
    try:
        values = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def figures(folder: Path) -> dict[str, float]:
    """The `metrics` of the model's card; empty when it has none."""
    file = folder / CARD_FILE
    values = read_object(file).get("metrics", {}) if file.is_file() else {}
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def check_weights(folder: Path) -> None:
    """Raise ModelUnusable for a file that only its name makes safetensors, such as a pickle."""
    for file in folder.glob("*.safetensors"):
        _tensors(file)


def weight_bytes(folder: Path) -> int:
    """What the weights take in memory in float32, those of its base included; from the files' headers alone."""
    own = sum(_parameters(file) for file in folder.glob("*.safetensors"))
    base = base_of(folder)
    return 4 * own + (weight_bytes(Path(base)) if base and Path(base).is_dir() else 0)


def inner_weight_bytes(folder: Path) -> int:
    """The part of `weight_bytes` that quantization reaches: the matrices between a model's embedding and its head."""
    base = base_of(folder)
    if base:
        return inner_weight_bytes(Path(base)) if Path(base).is_dir() else 0
    return 4 * sum(
        prod(tensor["shape"]) for file in folder.glob("*.safetensors") for name, tensor in _tensors(file).items()
        if len(tensor["shape"]) == 2 and not any(outer in name for outer in OUTER)
    )


def _parameters(file: Path) -> int:
    """How many numbers a safetensors file holds."""
    return sum(prod(tensor["shape"]) for tensor in _tensors(file).values())


def _tensors(file: Path) -> dict[str, Any]:
    """What a safetensors file says of its tensors: its header is JSON of a length given by the first eight bytes."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > file.stat().st_size:
            raise ModelUnusable(f"{file} is not a safetensors file.")
        try:
            header = json.loads(opened.read(length))
        except (ValueError, RecursionError):
            header = None
    if not isinstance(header, dict):
        raise ModelUnusable(f"{file} is not a safetensors file.")
    return {name: tensor for name, tensor in header.items() if name != "__metadata__"}


def read_object(file: Path) -> dict[str, Any]:
    """A JSON object. Raises ModelUnusable."""
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError) as problem:
        raise ModelUnusable(f"{file} cannot be read: {problem}") from None
    if not isinstance(values, dict):
        raise ModelUnusable(f"{file} is not a JSON object.")
    return values
