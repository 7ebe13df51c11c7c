"""Something of every kind that a person may have on the site, with a word in each that nobody else may read."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.library import TOWER, add_collection


def give_things(person: Any, word: str) -> None:
    """Needs a Redis and the model service."""
    from webapp.accounts.services import create_api_key
    from webapp.chat.models import Conversation, Feedback, Message
    from webapp.retrieval import marking
    from webapp.writing import summaries
    from webapp.writing.models import GlossaryTerm, Translation, TranslationBatch, TranslationFile

    collection = add_collection(person, f"Towers {word}", **{f"tower-{word}": f"{TOWER}\nThe word is {word}.\n"})
    document = collection.documents.get()
    marking.mark(person, document, f"What is {word}?", 0, 10, True)
    conversation = Conversation.objects.create(owner=person, title=word)
    question = Message.objects.create(conversation=conversation, role="question", key="1", text=word)
    answer = Message.objects.create(conversation=conversation, role="answer", key="1", text=word, parent=question)
    Feedback.objects.create(message=answer, user=person, helpful=True, note=word)
    summaries.add_file(person, f"{word}.txt", [f"{TOWER} {word}".encode()], word)
    Translation.objects.create(owner=person, source="en", target="de", text=word, translation=word)
    batch = TranslationBatch.objects.create(owner=person, source="en", target="de")
    TranslationFile.objects.create(batch=batch, name=f"{word}.txt", size=1)
    GlossaryTerm.objects.create(owner=person, source_language="en", target_language="de", source=word)
    create_api_key(person, word)


def give_improving(admin: Any) -> None:
    """What administrators share: a data set, a job, an evaluation."""
    from webapp.training import datasets
    from webapp.training.models import Evaluation, Job

    rows = b'{"en": "A train.", "de": "Ein Zug."}\n{"en": "A house.", "de": "Ein Haus."}\n' * 3
    file = SimpleUploadedFile("pairs.jsonl", rows)
    version = datasets.create_with_file("Pairs", "translate", admin, file.name, file.chunks())
    job = Job.objects.create(task="translate", kind="train", name="A job", data=version, queued_at=timezone.now())
    for version_of_model in ("1", "2"):
        Evaluation.objects.create(
            job=job, task="translate", model="wenda-translator", version=version_of_model, data=version,
            data_label=str(version), n=2, metrics={"bleu": 1.0}, intervals={"bleu": [0.5, 1.5]}, seconds=1.0,
        )
