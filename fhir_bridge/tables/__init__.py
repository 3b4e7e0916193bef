"""Tables: CSV, TSV, XLSX and JSON rows, streamed as nodes with column names.

CSV as RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180) describes it and as spreadsheets
and database exports really write it.  Read in this order: `reader` (which form, and the
stream of rows), `charset`, `delimited`, `header`, `workbook`, `json_rows`, `row` (what a
map asks), `group` (several lines as one record).  Memory is bounded by the longest row,
never by the file (XLSX and JSON by their stated limits).
"""

from fhir_bridge.tables.delimited import Dialect
from fhir_bridge.tables.group import Group, group_rows
from fhir_bridge.tables.reader import read_rows
from fhir_bridge.tables.row import Cell, Row

__all__ = ["Cell", "Dialect", "Group", "Row", "group_rows", "read_rows"]
