"""Text in pictures and in pages that are pictures: what is read of it, what is told of it, what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image

from qa import reading, recognition
from qa.documents import DocumentError, ParsedDocument, parse
from qa.recognition import Recogniser
from tests.pdf_files import pdf
from tests.picture_files import BLANK, as_file, drawn, scan

WORDS = ["The lighthouse of Marrow Point was built by", "Ingrid Halloran in 1871. Its lamp was automatic",
         "from 1954 and could be seen from thirty miles away."]
SENTENCES = " ".join(WORDS)
KEEPER = ["The last keeper, Tobias Fenn, left the tower", "in the summer of that year and went to sea."]
CHINESE = ["灯塔建于一八七一年，由工程师设计。它位于", "离岸两英里的礁石上，灯光可以照到三十英里以外。"]
CHINESE_FONT = next(iter(sorted(Path("/usr/share/fonts").rglob("NotoSansCJK-Regular.ttc"))), None)
in_english = pytest.param(WORDS, "", SENTENCES, id="English")
in_chinese = [pytest.param(CHINESE, str(CHINESE_FONT), "".join(CHINESE), id="Chinese")] if CHINESE_FONT else []


@pytest.fixture(scope="module")
def engine():
    """Loaded once for all tests; each reads a document with a Recogniser of its own."""
    return Recogniser(1)._loaded()


@pytest.fixture
def read(engine):
    """`read(data, name, most_pages)`: the document, by text recognition."""

    def read(data: bytes, name: str, most_pages: int = 9) -> ParsedDocument:
        recogniser = Recogniser(most_pages)
        recogniser._engine = engine
        return parse(data, name, recogniser)

    return read


@pytest.mark.parametrize(("lines", "font", "text"), [in_english, *in_chinese])
def test_a_picture_of_a_paragraph_is_read_as_that_paragraph(read, lines, font, text):
    parsed = read(as_file(drawn(lines, font=font)), "page.png")
    assert parsed.text == text
    assert parsed.structure.pages == (0,) and parsed.structure.recognised == (1,)
    assert parsed.structure.is_recognised(3, 9) and parsed.media_type == "image/png"


@pytest.mark.parametrize(("form", "name", "mode"), [
    ("JPEG", "a.jpg", "RGB"), ("JPEG", "a.jpeg", "CMYK"), ("WEBP", "a.webp", "RGB"), ("TIFF", "a.tif", "1"),
    ("PNG", "a.png", "P"), ("PNG", "wrongly-named.jpg", "L"),
])
def test_every_kind_of_picture_is_read(read, form, name, mode):
    assert read(as_file(drawn(WORDS).convert(mode), form), name).text == SENTENCES


def test_what_is_transparent_is_taken_for_white(read):
    black = Image.new("RGBA", (1000, 400), (0, 0, 0, 0))
    black.putalpha(drawn(WORDS).convert("L").point(lambda grey: 255 - grey))
    assert read(as_file(black), "a.png").text == SENTENCES


def test_sixteen_bits_of_grey_are_read(read):
    import numpy as np

    grey = np.asarray(drawn(WORDS).convert("L")).astype("uint16") * 257
    assert read(as_file(Image.fromarray(grey)), "a.png").text == SENTENCES


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_lies_on_its_side_or_stands_on_its_head_is_turned(read, turn):
    page = drawn(WORDS).rotate(turn, expand=True)
    assert read(scan([page]), "scan.pdf").text == SENTENCES


def test_the_camera_s_word_about_how_it_was_held_is_followed(read):
    held = Image.Exif()
    held[0x0112] = 6
    data = as_file(drawn(WORDS).rotate(90, expand=True), "JPEG", exif=held)
    assert read(data, "photo.jpg").text == SENTENCES


def test_the_pages_of_a_tiff_are_those_of_the_document(read):
    pages = as_file(drawn(WORDS), "TIFF", save_all=True, append_images=[BLANK, drawn(KEEPER).convert("1")])
    parsed = read(pages, "fax.tiff")
    start = parsed.text.index("The last keeper")
    assert parsed.structure.page_at(start) == 3 and parsed.structure.recognised == (1, 3)
    assert parsed.structure.unread == ()


def test_a_picture_of_a_whole_web_page_is_read_in_pieces_and_no_line_is_cut_through(read):
    lines = [f"Line number {number} of the page" for number in range(60)]
    parsed = read(as_file(drawn(lines, (700, 2800))), "long.png")
    assert [line for line in lines if line in parsed.text] == lines


# --- PDF files ----------------------------------------------------------------------------------------------------


def mixed(*files: bytes) -> bytes:
    """One PDF of the pages of several."""
    whole = pypdfium2.PdfDocument.new()
    for data in files:
        whole.import_pages(pypdfium2.PdfDocument(data))
    written = io.BytesIO()
    whole.save(written)
    return written.getvalue()


def stamped(data: bytes, text: str) -> bytes:
    """The PDF with a line of text at the foot of its first page, as a scanner adds its name."""
    document = pypdfium2.PdfDocument(data)
    page = document[0]
    letters = pdfium.FPDFPageObj_NewTextObj(document, b"Helvetica", 9.0)
    pdfium.FPDFText_SetText(letters, (pdfium.FPDF_WCHAR * (len(text) + 1))(*map(ord, text), 0))
    pdfium.FPDFPageObj_Transform(letters, 1, 0, 0, 1, 20, 10)
    pdfium.FPDFPage_InsertObject(page, letters)
    page.gen_content()
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def test_of_a_mixed_file_only_the_pages_without_text_are_recognised(read):
    parsed = read(mixed(pdf([["The reef was measured twice."]]), scan([drawn(WORDS)]), pdf([[]])), "mixed.pdf")
    assert parsed.text == f"The reef was measured twice.\n\n{SENTENCES}"
    structure = parsed.structure
    assert (structure.recognised, structure.unread, len(structure.pages)) == ((2,), (), 3)
    start = structure.pages[1]
    assert structure.is_recognised(start, start + 5) and structure.is_recognised(start - 9, start + 5)
    assert not structure.is_recognised(0, start - 2)


def test_a_scan_that_bears_the_scanner_s_name_is_still_one(read):
    assert SENTENCES in read(stamped(scan([drawn(WORDS)]), "Scanned with a telephone"), "scan.pdf").text


def test_a_page_s_own_few_words_stay_where_its_picture_says_less(read):
    parsed = read(stamped(scan([BLANK]), "Plate 7: the reef"), "plate.pdf")
    assert parsed.text == "Plate 7: the reef" and parsed.structure.recognised == ()


def test_two_columns_are_read_one_after_the_other_and_broken_words_put_together(read):
    left = ["The lighthouse of Marrow Point", "was built by the engineer Ingrid",
            "Halloran in 1871, and its light", "could be seen from thirty miles",
            "away on every clear night of the", "year. Ships kept well off the gran-"]
    right = ["ite reef, two miles from the shore.", "The last keeper, Tobias Fenn, left",
             "the tower when the lamp became", "automatic, and went to sea again",
             "as the mate of a small sailing ship", "that carried stone to the harbour."]
    page = drawn([(60 + 640 * side, 60 + 45 * row, line) for side, lines in enumerate((left, right))
                  for row, line in enumerate(lines)], (1300, 420))
    assert read(scan([page]), "paper.pdf").text == " ".join([*left, *right]).replace("gran- ite", "granite")


def test_pages_beyond_the_limit_are_told_as_not_read(read):
    parsed = read(scan([drawn(WORDS), drawn(KEEPER), drawn(KEEPER)]), "scan.pdf", 1)
    assert parsed.text == SENTENCES
    assert (parsed.structure.recognised, parsed.structure.unread) == ((1,), (2, 3))


# --- what is refused ----------------------------------------------------------------------------------------------


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and holds next to nothing."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
              (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    written = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
               for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


@pytest.mark.parametrize(("data", "name", "code", "words"), [
    (as_file(BLANK), "white.png", "unrecognised", "no text was recognised"),
    (scan([BLANK]), "white.pdf", "unrecognised", "no text was recognised"),
    (as_file(drawn(WORDS))[:3000], "cut.png", "damaged", "it is damaged or no picture"),
    (b"GIF89a" + bytes(50), "a.png", "damaged", "it is damaged or no picture"),
    (as_file(BLANK, "GIF"), "a.jpg", "damaged", "it is damaged or no picture"),
    (png_of_size(0, 0), "none.png", "damaged", "it is damaged or no picture"),
    (png_of_size(9_000, 8_900), "large.png", "too_many_pixels", "80 megapixels"),
    (png_of_size(200_000, 200_000), "bomb.png", "too_many_pixels", "80 megapixels"),
    (b"", "a.webp", "empty", "is empty"),
])
def test_a_picture_that_cannot_be_read_says_why(read, data, name, code, words):
    with pytest.raises(DocumentError, match=words) as raised:
        read(data, name)
    assert raised.value.code == code


@pytest.mark.parametrize(("data", "name"), [(as_file(drawn(WORDS)), "a.png"), (scan([drawn(WORDS)]), "a.pdf")])
def test_without_text_recognition_pictures_are_refused_with_what_to_install(monkeypatch, data, name):
    with pytest.raises(DocumentError, match="install the package rapidocr") as raised:
        parse(data, name, Recogniser(0))
    assert raised.value.code == "scanned"
    monkeypatch.setattr(recognition, "find_spec", lambda name: None)
    with pytest.raises(DocumentError, match="install the package rapidocr"):
        parse(data, name, Recogniser(9))


def test_without_text_recognition_a_mixed_file_is_read_as_far_as_it_has_text():
    parsed = parse(mixed(pdf([["The reef was measured."]]), scan([drawn(WORDS)])), "mixed.pdf")
    assert parsed.text == "The reef was measured." and parsed.structure.unread == (2,)


def test_lines_of_which_the_engine_is_not_sure_are_left_out():
    box = [[0.0, 0.0], [90.0, 0.0], [90.0, 20.0], [0.0, 20.0]]
    recogniser = Recogniser(1)
    recogniser._engine = lambda image: SimpleNamespace(
        txts=("surely text", "l1|!;"), scores=(0.99, recognition.LEAST_SCORE - 0.01), boxes=(box, box))
    import numpy as np

    assert [one.text for one in recogniser.read(np.zeros((30, 90, 3), np.uint8)).seen] == ["surely text"]


# --- in a process of its own --------------------------------------------------------------------------------------


def test_the_child_tells_how_far_it_is(tmp_path):
    file = tmp_path / "scan.pdf"
    file.write_bytes(scan([drawn(WORDS), drawn(KEEPER)]))
    told = []
    found = reading.read(file, "scan.pdf", most_recognised=2, look=lambda done, of: told.append((done, of)))
    assert found.structure.recognised == (1, 2) and found.text.startswith(SENTENCES)
    assert told == sorted(told) and set(told) <= {(0, 0), (0, 2), (1, 2)} and (1, 2) in told


class _Enough(Exception):
    pass


def test_a_reading_that_nobody_wants_any_more_is_ended(tmp_path):
    file = tmp_path / "scan.pdf"
    file.write_bytes(scan([drawn(WORDS)] * 40))

    def look(done: int, of: int) -> None:
        if of:
            raise _Enough

    with pytest.raises(_Enough):
        reading.read(file, "scan.pdf", most_recognised=40, look=look)
