"""A version as an ONNX file, its tokenizer beside it; compared with the original by ONNX Runtime before it counts.

    model.onnx            inputs input_ids, attention_mask and, where the model tells them apart, token_type_ids, each
                          (texts, tokens), int64. Outputs, float32: of a reader start_logits and end_logits; of a
                          classifier or a reranker logits; of an encoder last_hidden_state and embedding, the vector
                          that Wenda uses, of L2 norm 1
    tokenizer.json, config.json ... as transformers and tokenizers read them
"""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import torch
from transformers import AutoTokenizer, PreTrainedModel

from models_service import samples
from models_service.compression import weights
from models_service.engines.encoder import pools_first_token
from models_service.model_files import CALIBRATION_FILE, CARD_FILE, Kind, ModelUnusable
from models_service.registry import Model
from models_service.version_files import kept_files

OPSET = 17
MOST_DIFFERENCE = 1e-3
"""Between a number of the original's and the same of the export's; rounding alone makes about 1e-5."""
LONGEST = 128
"""Tokens of a sample."""


def write_onnx(model: Model, target: Path) -> None:
    """Write to the folder `target`, which is there and empty. Raises ModelUnusable."""
    with TemporaryDirectory(dir=target.parent, prefix=".whole-") as there:
        whole = Path(there) / "model"
        weights.copy_whole(model, whole)
        body = weights.read(whole, model.kind)
        body.set_attn_implementation("eager")
        tokenizer = AutoTokenizer.from_pretrained(whole)
        module = _Outputs(body, model.kind, first_token=model.kind == "encoder" and pools_first_token(whole)).eval()
        given = _inputs(tokenizer, body)
        with warnings.catch_warnings():  # the tracer warns of every size that it takes for a constant; see the check
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (), str(target / "model.onnx"), kwargs=given, input_names=list(given),
                output_names=module.names, dynamo=False, opset_version=OPSET,
                dynamic_axes={name: {0: "texts", 1: "tokens"} for name in given}
                | {name: axes for name in module.names if (axes := _axes(name, model))},
            )
        tokenizer.save_pretrained(target)
        for name in kept_files(whole):
            if str(name) in ("config.json", CALIBRATION_FILE, CARD_FILE):
                (target / name).write_bytes((whole / name).read_bytes())
        _check(target, module, tokenizer, body, model)


class _Outputs(torch.nn.Module):
    """The model with plain tensors in and out."""

    def __init__(self, model: PreTrainedModel, kind: Kind, *, first_token: bool) -> None:
        super().__init__()
        self._model, self._kind, self._first_token = model, kind, first_token
        self.names = {"reader": ["start_logits", "end_logits"], "encoder": ["last_hidden_state", "embedding"]}.get(
            kind, ["logits"])

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, ...]:
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        # Spread out here, for what transformers makes of a mask depends on what the traced one held.
        mask = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min
        out = self._model(input_ids=input_ids, attention_mask=mask, **types)
        if self._kind != "encoder":
            return tuple(out[name] for name in self.names)
        states = out.last_hidden_state
        seen = attention_mask[:, :, None].to(states.dtype)
        pooled = states[:, 0] if self._first_token else (states * seen).sum(1) / seen.sum(1)
        return states, torch.nn.functional.normalize(pooled, dim=-1)


def _axes(name: str, model: Model) -> dict[int, str]:
    if name in ("start_logits", "end_logits", "last_hidden_state"):
        return {0: "texts", 1: "tokens"}
    return {0: "texts"} if name == "embedding" or model.kind == "reranker" else {0: "texts", 1: "labels or tokens"}


def _inputs(tokenizer, model: PreTrainedModel, pairs: slice = slice(0, 2)) -> dict[str, torch.Tensor]:
    chosen = samples.READINGS[pairs]
    encoded = tokenizer([one.question for one in chosen], [one.passage for one in chosen], padding=True,
                        truncation=True, max_length=LONGEST, return_tensors="pt", return_token_type_ids=True)
    given = {name: encoded[name] for name in ("input_ids", "attention_mask")}
    if getattr(model.config, "type_vocab_size", 0) > 1:
        given["token_type_ids"] = encoded["token_type_ids"]
    return given


@torch.inference_mode()
def _check(target: Path, module: _Outputs, tokenizer, body: PreTrainedModel, model: Model) -> None:
    """Other texts, lengths and numbers of texts than the traced ones. Padding's own numbers are nobody's concern."""
    session = onnxruntime.InferenceSession(str(target / "model.onnx"), providers=["CPUExecutionProvider"])
    for pairs in (slice(2, 3), slice(1, 4), slice(5, 8)):
        given = _inputs(tokenizer, body, pairs)
        seen = given["attention_mask"].numpy().astype(bool)
        found = session.run(module.names, {name: values.numpy() for name, values in given.items()})
        for name, wanted, own in zip(module.names, module(**given), found, strict=True):
            wanted = wanted.numpy()
            if wanted.shape[:2] == seen.shape and wanted.shape == own.shape:
                wanted, own = wanted[seen], own[seen]
            if wanted.shape != own.shape or not np.abs(wanted - own).max() <= MOST_DIFFERENCE:
                raise ModelUnusable(f"The ONNX file of {model.label} gives another {name} than the model itself.")
