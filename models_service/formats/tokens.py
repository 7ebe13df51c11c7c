"""A text or a conversation as a causal language model's tokens, and which of them it learns or is measured by."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from models_service.formats.corpus import Document
from models_service.formats.files import FormatError


def tokens_of(document: Document, tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[bool]]:
    """A document's tokens, and which of them count: all of a text, of a conversation what the assistant says.

    Raises:
        FormatError: a conversation cannot be put into the tokenizer's chat template.
    """
    if document.messages:
        return _conversation_tokens(document.messages, tokenizer)
    own = tokenizer(document.text)["input_ids"]
    if own and tokenizer.eos_token_id is not None and own[-1] != tokenizer.eos_token_id:
        own = [*own, tokenizer.eos_token_id]
    return own, [True] * len(own)


def _conversation_tokens(
    messages: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerBase
) -> tuple[list[int], list[bool]]:
    """What the assistant says is what the template adds with its message, after the prompt to answer."""
    if not tokenizer.chat_template:
        raise FormatError("the base model has no chat template, so it cannot learn from conversations")
    said = [{"role": role, "content": content} for role, content in messages]
    whole = _rendered(tokenizer, said)
    spans = []
    for place, message in enumerate(said):
        if message["role"] == "assistant":
            before = _rendered(tokenizer, said[:place], prompt=True)
            after = _rendered(tokenizer, said[: place + 1])
            if not (whole.startswith(before) and whole.startswith(after)):
                raise FormatError("the base model's chat template changes earlier messages, so what the assistant "
                                  "says cannot be told apart; use conversations of one question and one answer")
            spans.append((len(before), len(after)))
    encoded = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
    learned = [
        any(start >= begin and end <= finish for begin, finish in spans) for start, end in encoded["offset_mapping"]
    ]
    return encoded["input_ids"], learned


def answer_tokens(
    messages: Sequence[tuple[str, str]], answer: str, tokenizer: PreTrainedTokenizerBase
) -> tuple[list[int], int]:
    """The tokens of a conversation that `answer` ends, and the place of the answer's first one: the end token that
    the template puts behind it belongs to it, what earlier answers said does not.

    Raises:
        FormatError: see `tokens_of`.
    """
    ids, said = _conversation_tokens([*messages, ("assistant", answer)], tokenizer)
    begin = len(ids)
    while begin and said[begin - 1]:
        begin -= 1
    if not 0 < begin < len(ids):
        raise FormatError("the base model's tokenizer does not tell an answer from what stands before it")
    return ids, begin


def _rendered(tokenizer: PreTrainedTokenizerBase, said: Sequence[dict[str, str]], prompt: bool = False) -> str:
    return tokenizer.apply_chat_template(list(said), tokenize=False, add_generation_prompt=prompt)
