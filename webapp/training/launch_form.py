"""The launch form, made from a recipe's own settings: for each its kind of field, default, limits and explanation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic.fields import FieldInfo

from webapp.training import subjects
from webapp.training.explanations import FIRST, HELP, HELP_OF_ONE_TASK, LABELS
from webapp.training.jobs import OF_THE_SITE


@dataclass
class Setting:
    """One field. `kind` is "choice", "number" or "text"."""

    name: str
    label: str
    help: str
    kind: str
    value: str
    default: str
    choices: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    step: str = "any"
    error: str = ""

    @property
    def is_first(self) -> bool:
        return self.name in FIRST


def settings_of(task: str, given: Mapping[str, Any], errors: Mapping[str, str] | None = None) -> list[Setting]:
    """The recipe's settings in the order of the form, filled with what was given before."""
    fields = subjects.recipe(task).settings.model_fields
    names = [*(name for name in FIRST if name in fields),
             *(name for name in fields if name not in FIRST and name not in OF_THE_SITE)]
    return [_setting(task, name, fields[name], given, errors or {}) for name in names]


def _setting(task: str, name: str, field: FieldInfo, given: Mapping[str, Any], errors: Mapping[str, str]) -> Setting:
    told = HELP_OF_ONE_TASK.get((task, name), HELP[name])
    made = Setting(name, str(LABELS[name]), str(told), "text", "", "", error=errors.get(name, ""))
    read_field(made, field, given.get(name))
    if name == "base":
        choices, subject = subjects.bases(task), subjects.SUBJECTS[task]
        made.kind, made.default = "choice", subjects.default_base(task)
        new = ("",) if not (subject.default_base or subject.needs_base) else ()
        made.choices = (*(one.label for one in choices), *new) or ((made.default,) if made.default else ())
    return made


def read_field(made: Setting, field: FieldInfo, given: Any) -> Setting:
    """What kind of field it is, its default and its limits."""
    made.value, made.default = _shown(given), _shown(field.get_default(call_default_factory=True))
    pattern = next((found.pattern for found in field.metadata if getattr(found, "pattern", None)), None)
    if pattern and (words := re.fullmatch(r"\^\(([\w|]+)\)\$", pattern)):
        made.kind, made.choices = "choice", tuple(words[1].split("|"))
    elif {int, float} & {field.annotation, *get_args(field.annotation)}:
        made.kind = "number"
        made.step = "1" if int in (field.annotation, *get_args(field.annotation)) else "any"
        for limit in field.metadata:
            made.least = _shown(getattr(limit, "ge", None)) or made.least
            made.most = _shown(getattr(limit, "le", None)) or made.most
            if getattr(limit, "gt", None) is not None and made.step == "1":
                made.least = _shown(limit.gt + 1)
    return made


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
