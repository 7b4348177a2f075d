"""Lists as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

from fastapi.responses import Response

Format = Literal["json", "csv"]

CSV = "text/csv; charset=utf-8"

# A spreadsheet runs a cell that begins so as a formula; with an apostrophe it is text.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(columns: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> Response:
    """Rows as a CSV file that the browser saves as `name`; None is left empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return Response(
        out.getvalue().encode("utf-8"),
        media_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def cell(value: object) -> object:
    """A value as a spreadsheet shows it, and never runs it; None is left empty."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULAS):
        return f"'{value}"
    return value


CSV_CONTENT = {CSV.partition(";")[0]: {"schema": {"type": "string"}}}
"""What a list answers with beside JSON, for OpenAPI."""
