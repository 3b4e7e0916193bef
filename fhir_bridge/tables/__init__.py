"""Tables: CSV, TSV, XLSX, DBF and JSON rows, streamed as nodes with column names.

CSV as RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180) describes it and as spreadsheets
and database exports really write it.  Read in this order: `reader` (which form, and the
stream of rows), `charset`, `delimited`, `workbook`, `dbf`, `json_rows`, `sheet` and `header`
(where the table is), `row` (what a map asks) with `lists`, `measure` and `words`, `group`
(several lines as one record).  Memory is bounded by the longest row,
never by the file (XLSX and JSON by their stated limits).
"""

from fhir_bridge.tables.dbf import is_dbf
from fhir_bridge.tables.delimited import Dialect
from fhir_bridge.tables.group import Group, group_rows
from fhir_bridge.tables.reader import is_json, read_headers, read_rows
from fhir_bridge.tables.row import Cell, Row
from fhir_bridge.tables.unread import unread

from .words import is_unknown, says_nothing

__all__ = [
    "Cell",
    "Dialect",
    "Group",
    "Row",
    "group_rows",
    "is_dbf",
    "is_json",
    "is_unknown",
    "read_headers",
    "read_rows",
    "says_nothing",
    "unread",
]
