"""All that a training run has in memory and needs to go on from: weights, optimizer, schedule, running mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models_service.training.run_folder import RunFolder
from models_service.training.running_mean import RunningMean


@dataclass(frozen=True)
class TrainingState:
    trained: Mapping[str, torch.nn.Parameter]
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LambdaLR
    mean: RunningMean

    def save(self, run: RunFolder, step: int, secret: bytes | None = None) -> None:
        """`secret`: of a private training that is not over."""
        tensors = {f"weight.{name}": p for name, p in self.trained.items()}
        tensors |= {f"mean.{name}": value for name, value in self.mean.values.items()}
        for name, p in self.trained.items():
            for key, value in self.optimizer.state[p].items():
                tensors[f"optimizer.{key}.{name}"] = value if torch.is_tensor(value) else torch.tensor(value)
        state = {"step": step, "scheduler": self.scheduler.last_epoch}
        run.save_checkpoint(tensors, state | ({"secret": secret.hex()} if secret else {}))

    @torch.no_grad()
    def resume(self, run: RunFolder) -> tuple[int, bytes | None]:
        """The step to go on from, 0 when there is no checkpoint; a private training's secret."""
        found = run.load_checkpoint()
        if found is None:
            return 0, None
        tensors, state = found
        for name, p in self.trained.items():
            p.copy_(tensors[f"weight.{name}"])
        for full_name, value in tensors.items():
            if full_name.startswith("optimizer."):
                _, key, name = full_name.split(".", 2)
                p = self.trained[name]
                self.optimizer.state[p][key] = value if key == "step" else value.to(p.device)
        for name, value in self.mean.values.items():
            value.copy_(tensors[f"mean.{name}"])
        self._set_schedule(state["scheduler"])
        return int(state["step"]), bytes.fromhex(state["secret"]) if "secret" in state else None

    def _set_schedule(self, steps: int) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.scheduler.lr_lambdas[0](steps)
        self.scheduler.last_epoch = steps
        self.scheduler._last_lr = [group["lr"] for group in self.optimizer.param_groups]
