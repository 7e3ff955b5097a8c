"""Rows as a spreadsheet's file. Not here: other forms (formats.py). Imported when asked for.

Text is written as text: a spreadsheet runs none of it. Beside the rows, a sheet with ANEEL's
attribution.
"""

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from uuid import UUID

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from api.formats import ATTRIBUTION, Row, as_json, plain

LONGEST = 32767
"""Characters of a cell."""


def as_xlsx(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    """A header and a row each; lists as JSON, instants as ISO 8601 says them."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("dados")
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column, bold)
        for number, row in enumerate(rows, 1):
            for place, column in enumerate(columns):
                if type(row[column]) is date:
                    sheet.write_datetime(number, place, row[column], day)
                else:
                    _write(sheet, number, place, row[column])
        book.add_worksheet("fonte").write_string(0, 0, ATTRIBUTION)
    return file.getvalue()


def _write(sheet: Worksheet, number: int, place: int, value: object) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(number, place, value)
    elif isinstance(value, int | float | Decimal):
        if isfinite(value):
            sheet.write_number(number, place, value)
    elif value is not None:
        if isinstance(value, list | dict):
            value = as_json(value).decode()
        elif isinstance(value, datetime | UUID):
            value = plain(value)
        sheet.write_string(number, place, str(value)[:LONGEST])
