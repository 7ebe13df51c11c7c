"""Which languages a translator's folder offers: `translator.json`, and how it is made for a model that has none.

A pair's `tag` is put before the source; `begin` is the first token of the target. Which of them a model wants, and
what they look like, is the custom of its family. Reads JSON only; imports no model library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from models_service.engines.rewriting import Rewriting
from models_service.languages import LANGUAGES, WITHOUT_SPACES
from models_service.model_files import CARD_FILE, TRANSLATOR_FILE, ModelUnusable, read_object
from models_service.protocol_translation import LanguageCode

_NAMED = re.compile(r"(?:^|[-_/])([a-z]{2})[-_]([a-z]{2})$")
"""As in opus-mt-en-de."""
_TOLD = re.compile(r"([a-z]{2,3})-([a-z]{2,3})")
_CHINESE_TAGS = (">>cmn_Hans<<", ">>zho_Hans<<", ">>cmn<<")


class OfferedPair(BaseModel):
    source: LanguageCode
    target: LanguageCode
    tag: str = ""
    begin: str = ""
    figures: dict[str, float | int | str] = Field(default_factory=dict)

    def rewriting(
        self, text: str, n_best: int = 1, beam_size: int | None = None, written: str | None = None
    ) -> Rewriting:
        """What the engine is given for a text of this pair."""
        glue = "" if self.target in WITHOUT_SPACES else " "
        return Rewriting(text, self.tag, self.begin, glue, n_best, beam_size, written=written)


class Offered(BaseModel):
    pairs: list[OfferedPair]


def pairs_of(folder: Path) -> list[OfferedPair]:
    """Raises ModelUnusable when the folder's translator.json is missing or broken."""
    file = folder / TRANSLATOR_FILE
    try:
        return Offered.model_validate_json(file.read_bytes()).pairs
    except FileNotFoundError:
        raise ModelUnusable(
            f"{folder} does not say which languages it translates: {TRANSLATOR_FILE} is missing."
        ) from None
    except (OSError, ValidationError) as problem:
        raise ModelUnusable(f"{file} cannot be read: {problem}") from None


def tell_pairs(folder: Path, told: Sequence[str], names: Sequence[str]) -> None:
    """Write translator.json: the pairs that were told, as in "en-de"; else what one of the model's names says.

    A folder that has one keeps it when nothing is told.

    Raises:
        ModelUnusable: neither says it, or the model's family is not known to translate these languages.
    """
    file = folder / TRANSLATOR_FILE
    if file.is_file() and not told:
        pairs_of(folder)
        return
    pairs = [_told(pair) for pair in told] or _named(folder, names)
    offered = Offered(pairs=[_offered(folder, source, target) for source, target in dict.fromkeys(pairs)])
    file.write_text(offered.model_dump_json(indent=2, exclude_defaults=True) + "\n", encoding="utf-8")


def _told(pair: str) -> tuple[str, str]:
    found = _TOLD.fullmatch(pair)
    if not found or found[1] == found[2]:
        raise ModelUnusable(f"{pair!r} is no pair of languages: write two codes, as in en-de.")
    return found[1], found[2]


def _named(folder: Path, names: Sequence[str]) -> list[tuple[str, str]]:
    config, card = read_object(folder / "config.json"), folder / CARD_FILE
    source = read_object(card).get("source") if card.is_file() else ""
    for said in (*names, str(source or ""), str(config.get("_name_or_path") or "")):
        if found := _NAMED.search(said):
            return [(found[1], found[2])]
    raise ModelUnusable(
        f"{names[0]} does not say which languages it translates: name each direction with --pair, as in --pair en-de."
    )


def _offered(folder: Path, source: str, target: str) -> OfferedPair:
    config = read_object(folder / "config.json")
    family = config.get("model_type")
    if family == "marian":
        return OfferedPair(source=source, target=target, tag=_marian_tag(folder, target))
    if family == "m2m_100":
        kept = folder / "tokenizer_config.json"
        nllb = str(read_object(kept).get("tokenizer_class", "") if kept.is_file() else "").startswith("Nllb")
        tokens = [_known(code).flores if nllb else f"__{code}__" for code in (source, target)]
        return OfferedPair(source=source, target=target, tag=tokens[0], begin=tokens[1])
    if family == "mbart":
        tokens = [_known(code).mbart for code in (source, target)]
        if not all(tokens):
            raise ModelUnusable(f"mBART does not know both {source} and {target}.")
        return OfferedPair(source=source, target=target, tag=tokens[0], begin=tokens[1])
    if family in ("t5", "mt5", "umt5"):
        return OfferedPair(source=source, target=target,
                           tag=f"translate {_known(source).name} to {_known(target).name}: ")
    raise ModelUnusable(
        f"{folder.name} is a {family} model; as translators Marian (OPUS-MT), M2M100, NLLB, mBART-50 and T5 are "
        "served."
    )


def _marian_tag(folder: Path, target: str) -> str:
    """Of a model of several targets; "" for one that has no tags."""
    vocabulary = read_object(folder / "vocab.json")
    tags = [token for token in vocabulary if token.startswith(">>") and token.endswith("<<")]
    if not tags:
        return ""
    iso3 = LANGUAGES[target].iso3 if target in LANGUAGES else target
    wanted = [f">>{target}<<", f">>{iso3}<<", *(_CHINESE_TAGS if target == "zh" else ())]
    found = next((tag for tag in wanted if tag in vocabulary), None)
    if found is None:
        raise ModelUnusable(f"The model has no tag for {target}; it has: {', '.join(sorted(tags)[:40])}.")
    return found


def _known(code: str):
    if code not in LANGUAGES:
        raise ModelUnusable(f"The language code {code!r} is not known here; known are: {', '.join(LANGUAGES)}.")
    return LANGUAGES[code]
