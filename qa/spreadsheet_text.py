"""Spreadsheets (XLSX, XLS, ODS) to text: each sheet under its name, each row a line with the columns' names.

Formulas count with the value that was last computed. Hidden sheets are left out.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from qa.file_text import FileText, one_line
from qa.packed import OLE, check_packed
from qa.table_rows import NumberedRow, write_rows
from qa.text_writer import TextWriter
from qa.unreadable import Unreadable, damaged_otherwise

_KIND = "spreadsheet"
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")


def read_spreadsheet(data: bytes) -> FileText:
    """
    Raises:
        Unreadable: encrypted, damaged, or made to unpack to more than a document may have.
    """
    if not data.startswith(OLE):
        check_packed(data, _KIND)
    elif _ENCRYPTED_PART in data:
        raise _encrypted()
    with damaged_otherwise(_KIND):
        sheets = _sheets(data)
    sheets = [(one_line(name), rows) for name, rows in sheets if rows]
    out = TextWriter()
    for name, rows in sheets:
        if name:
            out.heading(name, 1)
        write_rows(out, rows, name if len(sheets) > 1 else "")
    return out.result()


def _sheets(data: bytes) -> list[tuple[str, Sequence[NumberedRow]]]:
    """The names of the sheets that are shown, and their rows."""
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        shown = [sheet.name for sheet in workbook.sheets_metadata
                 if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet]
        return [(name, _rows(workbook, name)) for name in shown]
    except PasswordError:
        raise _encrypted() from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library's Rust code, on a file that it did not expect
            raise
        raise ValueError("the library panicked") from None


def _encrypted() -> Unreadable:
    return Unreadable("encrypted", "it is protected by a password. Save a copy without one.")


def _rows(workbook: CalamineWorkbook, name: str) -> Sequence[NumberedRow]:
    """The sheet's rows that have a value, with the number that the spreadsheet's program shows."""
    sheet = workbook.get_sheet_by_name(name)
    first = (sheet.start or (0, 0))[0] + 1
    rows = ([_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=True))
    return [(number, cells) for number, cells in enumerate(rows, start=first) if any(cells)]


def _cell(value: object) -> str:
    """As a person would write it: 40 and not 40.0, a date without its midnight."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "minutes") if value.time() != datetime.time() else value.date().isoformat()
    return str(value)
