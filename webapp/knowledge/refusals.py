"""Why a file cannot become a document, as a sentence in the reader's language that says what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _

from qa.documents import ENDINGS, MAX_DOCUMENT_BYTES, DocumentError
from qa.recognition import MOST_PIXELS


def sentence(error: DocumentError, name: str) -> str:
    sentences = {
        "empty": _("%(name)s holds no text."),
        "binary": _("%(name)s cannot be read as text: it is a binary file, damaged, nested too "
                    "deeply, or in an unknown encoding. Save it as UTF-8 text and upload it again."),
        "too_large": _("%(name)s is larger than %(limit)s MB, the most that a document may have. Split it."),
        "unsupported": _("%(name)s is of a type that cannot be read here. Supported types: %(types)s."),
        "too_hard": _("%(name)s takes more time or memory to read than a document may. "
                      "Split it, or save it as plain text."),
        "encrypted": _("%(name)s is protected by a password. Save a copy without one and upload that."),
        "scanned": _("%(name)s holds pictures and no text, as a scanner makes them, and text recognition is not at "
                     "hand here: the package rapidocr of requirements.txt has to be installed, and "
                     "WENDA_RECOGNISE_PAGES be above 0. Or run text recognition over it and upload the result."),
        "unrecognised": _("No text was recognised in the pictures that %(name)s holds. Scan or photograph it anew, "
                          "sharper and upright."),
        "too_many_pixels": _("%(name)s is a picture of more than %(megapixels)s megapixels, the most that is read. "
                             "Make it smaller, or cut it into several."),
        "damaged": _("%(name)s is damaged, or of another type than its name says. Open it in its own program, save "
                     "it anew and upload that."),
    }
    values = {"name": name, "limit": MAX_DOCUMENT_BYTES // 1_000_000, "types": ", ".join(ENDINGS),
              "megapixels": MOST_PIXELS // 1_000_000}
    return sentences[error.code] % values

