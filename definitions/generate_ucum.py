"""Makes ``fhir_bridge/ucum/units.csv`` from the UCUM essence file.

Source: ``ucumvert/vendor/ucum-essence.xml`` of the PyPI wheel ``ucumvert`` 0.3.2 (UCUM 2.2 of
2024-06-17), unpacked, not installed::

    pip download --no-deps ucumvert==0.3.2
    python -m zipfile -e ucumvert-0.3.2-py3-none-any.whl unpacked
    python definitions/generate_ucum.py unpacked/ucumvert/vendor/ucum-essence.xml

Columns: kind (prefix, base, unit), code, name, metric (1 or empty), arbitrary (1 or empty),
function (of a special unit), value, unit (what the value counts).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from fhir_bridge import xml

TARGET = Path(__file__).parents[1] / "fhir_bridge" / "ucum" / "units.csv"
COLUMNS = ("kind", "code", "name", "metric", "arbitrary", "function", "value", "unit")


def main(source: Path) -> None:
    """Write the table."""
    root = xml.parse(source.read_bytes())
    rows = []
    for element in root:
        kind = element.tag.rpartition("}")[2].removesuffix("-unit")
        name = next(child.text for child in element if child.tag.endswith("}name"))
        value = next((child for child in element if child.tag.endswith("}value")), None)
        function = ""
        amount, unit = "1", ""
        if value is not None:
            amount, unit = value.get("value", ""), value.get("Unit", "")
            for child in value:
                if child.tag.endswith("}function"):
                    function = child.get("name", "")
                    amount, unit = child.get("value", ""), child.get("Unit", "")
        rows.append(
            (
                kind,
                element.get("Code"),
                " ".join((name or "").split()),
                "1" if kind == "base" or element.get("isMetric") == "yes" else "",
                "1" if element.get("isArbitrary") == "yes" else "",
                function,
                amount,
                unit,
            )
        )
    with TARGET.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
