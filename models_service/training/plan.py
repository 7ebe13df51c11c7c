"""What a training is asked for beside its settings: folds to validate across, or a search for better settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from models_service.training.settings import LoopSettings

FORM = "NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C"
_FORM = re.compile(r"(?P<name>\w+)=(?:(?P<low>[^:,]+):(?P<high>[^:,]+?)(?P<log>:log)?|(?P<choices>[^:]+))")


FIXED = frozenset(("base", "data", "first", "evaluation", "evaluation_limit", "evaluate_every", "checkpoint_seconds",
                   "merge", "seed", "labels", "private_epsilon", "private_delta", "beta"))
"""What trials have in common, so that only the settings tell them apart: beta is the unit of its training's loss."""


class Plan(BaseModel):
    """At most one of the two; neither is an ordinary training."""

    folds: int | None = Field(None, ge=2, le=20, description="cross-validate: train and measure so many times, each "
                              "time on another part of the documents; makes no model")
    trials: int | None = Field(None, ge=2, le=200, description="search: train so many times with other settings, "
                               "and keep the best model")
    search: list[str] = Field(default_factory=list, description=f"what the trials vary, each as {FORM}")

    @model_validator(mode="after")
    def _fits_together(self) -> Plan:
        if self.folds and self.trials:
            raise ValueError("either folds or trials, not both")
        if bool(self.trials) != bool(self.search):
            raise ValueError(f"trials and search belong together; what the trials vary is written as {FORM}")
        return self


@dataclass(frozen=True)
class Varied:
    """A setting that a search varies: between `low` and `high`, or among `choices`."""

    name: str
    low: float = 0.0
    high: float = 0.0
    is_log: bool = False
    is_whole: bool = False
    choices: tuple[str, ...] = ()


def check_privacy(settings: LoopSettings, plan: Plan) -> None:
    """Raises ValueError where several trainings would see rows of which each promises its epsilon alone."""
    if getattr(settings, "private_epsilon", 0) and (plan.folds or plan.trials):
        raise ValueError("private_epsilon is of one training: neither folds nor trials go with it, as each of their "
                         "trainings would tell something of the same rows")


def can_vary(settings: type[LoopSettings]) -> list[str]:
    return [name for name in settings.model_fields if name not in FIXED]


def varied(settings: type[LoopSettings], search: Sequence[str]) -> list[Varied]:
    """What a search's words mean for a recipe. ValueError, with a sentence, when they mean nothing."""
    found = [_varied(settings, text.strip()) for text in search]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise ValueError("a setting is varied twice")
    return found


def _varied(settings: type[LoopSettings], text: str) -> Varied:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text}” is not of the form {FORM}")
    name = match["name"]
    field = settings.model_fields.get(name)
    if field is None or name in FIXED:
        raise ValueError(f"there is no setting “{name}” that can be varied")
    if match["choices"]:
        choices = tuple(one.strip() for one in match["choices"].split(","))
        for choice in choices:
            _check(settings, name, choice)
        return Varied(name, choices=choices)
    kinds = {field.annotation, *get_args(field.annotation)}
    if not {int, float} & kinds:
        raise ValueError(f"{name} is no number: name its choices, as in {name}=A,B")
    low, high = _check(settings, name, match["low"]), _check(settings, name, match["high"])
    if not low < high:
        raise ValueError(f"{name}: the lower end must be below the upper one")
    if match["log"] and low <= 0:
        raise ValueError(f"{name}: on a log scale the lower end must be above 0")
    return Varied(name, low, high, bool(match["log"]), int in kinds)


def _check(settings: type[LoopSettings], name: str, given: str) -> Any:
    """The value as the recipe has it."""
    field = settings.model_fields[name]
    try:
        return TypeAdapter(Annotated[field.annotation, *field.metadata]).validate_python(given)
    except ValidationError as error:
        raise ValueError(f"{name}={given}: {error.errors()[0]['msg']}") from None
