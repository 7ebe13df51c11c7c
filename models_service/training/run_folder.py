"""A training run on disk: a folder that explains itself and from which an interrupted run goes on.

    spec.json       what was asked for
    log.txt         what happened, for a person
    events.jsonl    the same for a program: one JSON object a line (step, loss, learning_rate, metrics, log ...)
    tensorboard/    the curves once more, as TensorBoard's event files
    checkpoint/     the newest state to resume from (safetensors and JSON, replaced atomically)
    model/          the finished model
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from models_service.training.tensorboard_file import TensorBoardFile


class RunFolder:
    """Writes and reads one run's folder; every write that matters is atomic."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._curves = TensorBoardFile(path / "tensorboard")

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def _checkpoint(self) -> Path:
        return self.path / "checkpoint"

    def say(self, sentence: str) -> None:
        """Add a line to the log that a person reads, and show it."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {sentence}"
        print(line, flush=True)
        with (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.event(log=sentence)

    def event(self, **fields: Any) -> None:
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time(), 3), **fields}) + "\n")
        if fields.get("started"):
            self._curves.begin(fields["step"])
        elif "step" in fields:
            curves = {name: value for name, value in fields.items() if name not in ("step", "steps")}
            held_out = {f"evaluation/{name}": value for name, value in curves.pop("metrics", {}).items()}
            self._curves.draw(fields["step"], {**curves, **held_out})

    def save_checkpoint(self, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
        """Replace the checkpoint; a kill at any moment leaves either the old one or the new one whole."""
        fresh = self.path / "checkpoint.new"
        old = self.path / "checkpoint.old"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, fresh / "state.safetensors")
        (fresh / "state.json").touch(mode=0o600)  # it may hold the secret of a private training
        (fresh / "state.json").write_text(json.dumps(state))
        shutil.rmtree(old, ignore_errors=True)
        if self._checkpoint.exists():
            os.rename(self._checkpoint, old)
        os.rename(fresh, self._checkpoint)
        shutil.rmtree(old, ignore_errors=True)

    def load_checkpoint(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """The newest whole checkpoint, or None at a run's start."""
        for name in ("checkpoint", "checkpoint.new", "checkpoint.old"):
            folder = self.path / name
            try:
                return load_file(folder / "state.safetensors"), json.loads((folder / "state.json").read_text())
            except (OSError, ValueError):
                continue
        return None
