"""A causal model of two million parameters, trained by the project's own recipe on its help pages; made once, kept.

For tests of streaming, batching, templates, LoRA and perplexity on weights that have learned something. It says
nothing that is of use to anybody.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import pytest
import torch

PROJECT = Path(__file__).resolve().parents[1]
SENTENCES = PROJECT.parent / "shared" / "data" / "tatoeba" / "en-de.dev.jsonl.gz"
"""Learned from where it is there, beside some of the pages; elsewhere all pages make up for it."""
TEXTS = sorted((PROJECT / "webapp" / "knowledge" / "starter" / "en").glob("0*.md" if SENTENCES.is_file() else "*.md"))
SETTINGS = {
    "epochs": 9, "max_steps": 40 if SENTENCES.is_file() else 120, "vocabulary": 2048, "context": 256, "batch_size": 4,
    "learning_rate": 2e-3, "precision": "float32",
}
RECIPE = [PROJECT / "models_service" / place for place in (
    "training/causal.py", "training/packing.py", "formats/corpus.py", "formats/tokens.py",
)]


def train(folder: Path, **values: object) -> Path:
    """Run the recipe, or go on with it, on one core; the model's folder."""
    from models_service.training import loop
    from models_service.training.causal import CausalTask
    from models_service.training.run_folder import RunFolder
    from models_service.training.settings_causal import CausalSettings

    settings, run, threads = CausalSettings.model_validate(values), RunFolder(folder), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        loop.train(CausalTask(settings, run), settings, run)
    finally:
        torch.set_num_threads(threads)
    return run.model


def made(cache: Path) -> Path:
    """The model's folder under `cache`, named after all that it depends on; trained when it is not there."""
    data = [*TEXTS, *([SENTENCES] if SENTENCES.is_file() else [])]
    digest = hashlib.sha256(json.dumps(SETTINGS).encode())
    for file in (*RECIPE, *data):
        digest.update(file.read_bytes())
    target = cache / digest.hexdigest()[:16]
    if not (target / "config.json").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            fresh = train(Path(folder) / "run", data=[str(file) for file in data], **SETTINGS)
            if not target.exists():  # another test run may have been quicker
                fresh.rename(target)
    return target


@pytest.fixture(scope="session")
def small_generator(pytestconfig: pytest.Config) -> Path:
    """The model's folder; not to be written to."""
    return made(Path(pytestconfig.cache.mkdir("small-generator")))
