"""What `manage.py evaluate` and an evaluation job can measure. A new task is a file here and a line below."""

from __future__ import annotations

from webapp.ops.evaluations.classification import CLASSIFICATION
from webapp.ops.evaluations.perplexity import PERPLEXITY
from webapp.ops.evaluations.preferences import PREFERENCES
from webapp.ops.evaluations.question_answering import OPENQA, QA
from webapp.ops.evaluations.retrieval import RETRIEVAL
from webapp.ops.evaluations.summarizing import SUMMARIZE
from webapp.ops.evaluations.task import Order, Task
from webapp.ops.evaluations.token_classification import TOKEN_CLASSIFICATION
from webapp.ops.evaluations.translation import TRANSLATE

__all__ = ["TASKS", "Order", "Task"]

TASKS: dict[str, Task] = {
    "qa": QA,
    "openqa": OPENQA,
    "retrieval": RETRIEVAL,
    "summarize": SUMMARIZE,
    "translate": TRANSLATE,
    "perplexity": PERPLEXITY,
    "preferences": PREFERENCES,
    "classification": CLASSIFICATION,
    "token-classification": TOKEN_CLASSIFICATION,
}
