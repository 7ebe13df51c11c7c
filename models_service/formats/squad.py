"""Read question answering data in the SQuAD v1.1 and v2.0 JSON layout, plain or gzip.

Rajpurkar et al. 2016 (v1.1) and 2018 (v2.0, `is_impossible`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models_service.formats.files import FormatError, read_json


@dataclass(frozen=True)
class Question:
    """One question about one paragraph.

    `answers` holds (text, start) pairs, `start` in characters of `context`; empty when unanswerable.
    """

    id: str
    question: str
    context: str
    answers: tuple[tuple[str, int], ...]
    title: str = ""

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.answers]


def read_squad(path: Path) -> list[Question]:
    """All questions of a SQuAD-format file, in file order.

    Raises:
        FormatError: the file is unreadable, holds no question, or a required field is missing.
    """
    data = read_json(path)
    if not isinstance(data, dict) or not isinstance(data.get("data"), list):
        raise FormatError(f'{path}: expected a SQuAD file, an object with a list under "data"')
    try:
        questions = list(_questions(data["data"]))
    except (KeyError, TypeError) as error:
        raise FormatError(f"{path}: not SQuAD layout, missing or wrong field {error}") from error
    if not questions:
        raise FormatError(f"{path}: no question in it")
    return questions


def _questions(articles: list[dict]) -> Iterator[Question]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for item in paragraph["qas"]:
                answers = () if item.get("is_impossible") else tuple(
                    (answer["text"], int(answer["answer_start"])) for answer in item["answers"]
                )
                yield Question(
                    id=str(item["id"]),
                    question=item["question"],
                    context=context,
                    answers=answers,
                    title=article.get("title", ""),
                )
