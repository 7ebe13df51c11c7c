"""Languages by their ISO 639-1 code: what they are called, and what families of translators call them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """`iso3` is ISO 639-3; `flores` is NLLB's code, `mbart` mBART-50's, empty where it has none."""

    name: str
    iso3: str
    flores: str
    mbart: str = ""


LANGUAGES = {
    "ar": Language("Arabic", "ara", "arb_Arab", "ar_AR"),
    "bg": Language("Bulgarian", "bul", "bul_Cyrl"),
    "ca": Language("Catalan", "cat", "cat_Latn"),
    "cs": Language("Czech", "ces", "ces_Latn", "cs_CZ"),
    "da": Language("Danish", "dan", "dan_Latn"),
    "de": Language("German", "deu", "deu_Latn", "de_DE"),
    "el": Language("Greek", "ell", "ell_Grek"),
    "en": Language("English", "eng", "eng_Latn", "en_XX"),
    "es": Language("Spanish", "spa", "spa_Latn", "es_XX"),
    "et": Language("Estonian", "est", "est_Latn", "et_EE"),
    "fa": Language("Persian", "fas", "pes_Arab", "fa_IR"),
    "fi": Language("Finnish", "fin", "fin_Latn", "fi_FI"),
    "fr": Language("French", "fra", "fra_Latn", "fr_XX"),
    "he": Language("Hebrew", "heb", "heb_Hebr", "he_IL"),
    "hi": Language("Hindi", "hin", "hin_Deva", "hi_IN"),
    "hu": Language("Hungarian", "hun", "hun_Latn"),
    "id": Language("Indonesian", "ind", "ind_Latn", "id_ID"),
    "it": Language("Italian", "ita", "ita_Latn", "it_IT"),
    "ja": Language("Japanese", "jpn", "jpn_Jpan", "ja_XX"),
    "ko": Language("Korean", "kor", "kor_Hang", "ko_KR"),
    "lt": Language("Lithuanian", "lit", "lit_Latn", "lt_LT"),
    "lv": Language("Latvian", "lav", "lvs_Latn", "lv_LV"),
    "nl": Language("Dutch", "nld", "nld_Latn", "nl_XX"),
    "no": Language("Norwegian", "nor", "nob_Latn"),
    "pl": Language("Polish", "pol", "pol_Latn", "pl_PL"),
    "pt": Language("Portuguese", "por", "por_Latn", "pt_XX"),
    "ro": Language("Romanian", "ron", "ron_Latn", "ro_RO"),
    "ru": Language("Russian", "rus", "rus_Cyrl", "ru_RU"),
    "sk": Language("Slovak", "slk", "slk_Latn"),
    "sl": Language("Slovenian", "slv", "slv_Latn", "sl_SI"),
    "sv": Language("Swedish", "swe", "swe_Latn", "sv_SE"),
    "th": Language("Thai", "tha", "tha_Thai", "th_TH"),
    "tr": Language("Turkish", "tur", "tur_Latn", "tr_TR"),
    "uk": Language("Ukrainian", "ukr", "ukr_Cyrl", "uk_UA"),
    "vi": Language("Vietnamese", "vie", "vie_Latn", "vi_VN"),
    "zh": Language("Chinese", "zho", "zho_Hans", "zh_CN"),
}
WITHOUT_SPACES = frozenset(("ja", "th", "zh"))
"""Written without spaces between words or sentences."""
