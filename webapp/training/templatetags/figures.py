"""`value|figure:metric`: a metric's value with as many decimals as its unit makes sense of."""

from __future__ import annotations

from django import template
from django.template.defaultfilters import floatformat

from models_service.evaluation.report import SHARES

register = template.Library()
FINE = SHARES | {"cross_entropy", "margin", "preference_loss", "reward_margin", "reward_accuracy",
                 "reward_accuracy_low", "reward_accuracy_high"}
"""Of these a hundredth is much."""


@register.filter
def figure(value: float | None, metric: str) -> str:
    return floatformat(value, 3 if metric in FINE else 2)
