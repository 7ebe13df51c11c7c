"""Texts to the tokens that a sequence-to-sequence model reads, and back; nothing of a text is read as a command.

Special tokens that are spelled out in a user's text stay text. A text of more tokens than the model has positions is
cut into pieces, at the end of a clause or a word where there is one.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from transformers import AutoTokenizer, MarianTokenizer, PreTrainedTokenizerBase

from models_service.model_files import ModelUnusable

CLAUSE_ENDS = tuple(".!?;:,…。！？；：，、")
WORD_BEGINS = ("▁", "Ġ")
"""As SentencePiece and byte-level BPE mark them."""
MOST_UNKNOWN = 20
"""Characters told as unknown, of one text."""


class Tokens:
    """One model's tokenizer."""

    def __init__(self, folder: Path, name: str) -> None:
        with warnings.catch_warnings():  # about sacremoses, whose normalising is not used here
            warnings.simplefilter("ignore", UserWarning)
            self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
        if self.tokenizer.eos_token_id is None:
            raise ModelUnusable(f"The tokenizer of {name} has no token for the end of a text.")
        self.end: int = self.tokenizer.eos_token_id
        self._name = name
        self._marian = self.tokenizer if isinstance(self.tokenizer, MarianTokenizer) else None
        self._vocabulary = self.tokenizer.get_vocab()

    @property
    def never_written(self) -> list[int]:
        """Padding, the unknown, and the tags of languages are no part of a text."""
        ids = {self.tokenizer.pad_token_id, self.tokenizer.unk_token_id}
        ids |= {id_ for token, id_ in self._vocabulary.items() if token.startswith(">>") and token.endswith("<<")}
        return sorted(id_ for id_ in ids if id_ is not None)

    def token(self, token: str) -> int:
        """A token's id. Raises ModelUnusable when the model does not have it."""
        if (id_ := self._id(token)) is None:
            raise ModelUnusable(f"{self._name} has no token {token!r}.")
        return id_

    def tag(self, tag: str) -> list[int]:
        """What is put before the source: one token where the vocabulary has it, else a text."""
        if not tag:
            return []
        if (id_ := self._id(tag)) is not None:
            return [id_]
        if tag.startswith(">>") and tag.endswith("<<"):
            raise ModelUnusable(f"{self._name} has no token {tag!r}.")
        return self.source(tag)[0]

    def _id(self, token: str) -> int | None:
        """Some tokenizers keep the languages' tokens apart from their vocabulary."""
        id_ = self._vocabulary.get(token, self.tokenizer.convert_tokens_to_ids(token))
        return None if id_ == self.tokenizer.unk_token_id else id_

    def source(self, text: str) -> tuple[list[int], str]:
        """A text's tokens, without an end; and the characters of it that the model does not know."""
        unknown = self.tokenizer.unk_token_id
        if self._marian:
            surfaces = self._marian.spm_source.encode(text, out_type=str)
            ids = [self._marian.encoder.get(surface, unknown) for surface in surfaces]
        else:
            encoded = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True,
                                     return_offsets_mapping=self.tokenizer.is_fast)
            ids = encoded["input_ids"]
            surfaces = [text[start:end] for start, end in encoded["offset_mapping"]] if self.tokenizer.is_fast else (
                [""] * len(ids))
        strange = dict.fromkeys(
            character for id_, surface in zip(ids, surfaces, strict=True) if id_ == unknown
            for character in surface if character not in WORD_BEGINS and not character.isspace()
        )
        return ids, "".join(strange)[:MOST_UNKNOWN]

    def target(self, text: str) -> list[int]:
        """A written text's tokens with their end, to be scored."""
        if self._marian:
            vocabulary = self._marian.target_encoder if self._marian.separate_vocabs else self._marian.encoder
            unknown = self.tokenizer.unk_token_id
            ids = [vocabulary.get(piece, unknown) for piece in self._marian.spm_target.encode(text, out_type=str)]
        else:
            # Not as `text_target`, which means other special tokens only, and needs a language to be set for them.
            ids = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return [*ids, self.end]

    def text(self, ids: Sequence[int]) -> str:
        """What these tokens of a target, without its end, spell."""
        if self._marian:
            pieces = [self._marian.decoder[id_] for id_ in ids]
            return self._marian.spm_target.decode_pieces(pieces).replace("▁", " ").strip()
        return self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False).strip()

    def pieces(self, ids: Sequence[int], room: int) -> list[list[int]]:
        """The tokens in pieces of at most `room`."""
        rest, pieces = list(ids), []
        while len(rest) > room:
            place = self._good_place(rest, room)
            pieces.append(rest[:place])
            rest = rest[place:]
        return [*pieces, rest] if rest else pieces

    def _good_place(self, ids: Sequence[int], room: int) -> int:
        """The last end of a clause in the second half of the room, else the last word's begin, else its end."""
        tokens = self.tokenizer.convert_ids_to_tokens(list(ids[: room + 1]))
        half = range(room, room // 2, -1)
        clause = next((place for place in half if tokens[place - 1].endswith(CLAUSE_ENDS)), None)
        word = next((place for place in half if tokens[place].startswith(WORD_BEGINS)), None)
        return clause or word or room
