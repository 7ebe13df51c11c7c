"""The sentences of a text; `models_service/sentences.py`, where training needs them too."""

from models_service.sentences import sentences

__all__ = ["sentences"]
