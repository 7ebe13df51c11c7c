"""A whole translator: MarianMT with random weights and a SentencePiece vocabulary of a few lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

LINES = [
    "Where is the nearest station?", "I have never seen such a beautiful garden.", "The train leaves at 7:45.",
    "She asked him whether he could help her.", "Wo ist der nächste Bahnhof?", "Der Zug fährt um 7:45 Uhr ab.",
    "Ich habe noch nie einen so schönen Garten gesehen.", "Sie fragte ihn, ob er ihr helfen könne.",
    "最近的车站在哪里？", "火车七点四十五分出发。", "Tom likes apples, pears and plums; Mary does not.",
    "Tom mag Äpfel, Birnen und Pflaumen; Maria nicht.", "It is cold, so take a coat with you.",
]
PAIRS = (("en", "de"), ("de", "en"), ("en", "zh"))


def save_tiny_translator(
    folder: Path, seed: int = 0, pairs: Sequence[tuple[str, str]] = PAIRS, *, tags: bool = True, positions: int = 64
) -> Path:
    """With translator.json when there are `pairs`; with language tags in the vocabulary when `tags`."""
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lines.txt").write_text("\n".join(LINES * 4), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "lines.txt"), model_prefix=str(folder / "source"), vocab_size=180, minloglevel=2,
        character_coverage=1.0, bos_id=-1, pad_id=-1, eos_id=1, unk_id=0, hard_vocab_limit=False,
    )
    for name in ("lines.txt", "source.vocab"):
        (folder / name).unlink()
    (folder / "source.model").rename(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    ordinary = [pieces.id_to_piece(i) for i in range(pieces.get_piece_size()) if pieces.id_to_piece(i)[0] != "<"]
    marked = [f">>{code}<<" for code in sorted({code for pair in pairs for code in pair})] if tags else []
    vocabulary = ["</s>", "<unk>", *ordinary, *marked, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(vocabulary)}), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "MarianTokenizer", "separate_vocabs": False, "source_lang": "mul", "target_lang": "mul",
        "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": positions,
    }), encoding="utf-8")
    torch.manual_seed(seed)
    padding = len(vocabulary) - 1
    config = MarianConfig(
        vocab_size=len(vocabulary), d_model=32, encoder_layers=2, decoder_layers=1, encoder_ffn_dim=64,
        decoder_ffn_dim=64, encoder_attention_heads=2, decoder_attention_heads=2, activation_function="relu",
        max_position_embeddings=positions, pad_token_id=padding, decoder_start_token_id=padding, eos_token_id=0,
        forced_eos_token_id=0, scale_embedding=True, init_std=0.3,
    )
    model = MarianMTModel(config)
    with torch.no_grad():
        model.final_logits_bias[0, 0] = 4.0  # so that texts end
    model.save_pretrained(folder)
    if pairs:
        offered = [{"source": source, "target": target, "tag": f">>{target}<<" if tags else "",
                    "figures": {"bleu": 1.5, "data": "made up", "n": 3}} for source, target in pairs]
        (folder / "translator.json").write_text(json.dumps({"pairs": offered}), encoding="utf-8")
    return folder
