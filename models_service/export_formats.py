"""In which formats a version can be written for other software, and which kinds of models each has a place for."""

from __future__ import annotations

from models_service.model_files import Kind

FORMATS: dict[str, tuple[Kind, ...]] = {
    "safetensors": ("encoder", "reader", "reranker", "summarizer", "translator", "generator", "classifier"),
    "onnx": ("reader", "encoder", "classifier", "reranker"),
    "ctranslate2": ("translator", "encoder"),
}
ARCHIVE_FILE = "archive.zip"
"""What an export's job leaves in its folder."""


def formats_for(kind: str) -> list[str]:
    return [name for name, kinds in FORMATS.items() if kind in kinds]
