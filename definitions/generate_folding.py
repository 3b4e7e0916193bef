"""Makes ``fhir_bridge/search/traditional.csv`` from ICU's Traditional-Simplified transform.

Usage: ``python definitions/generate_folding.py`` with ``uconv`` (Debian package icu-devtools)
installed; the shipped table was made by ICU 72.1.  Only single characters are kept: the
table folds text for search and never changes what is stored.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

_RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00))
_TABLE = Path(__file__).parents[1] / "fhir_bridge" / "search" / "traditional.csv"


def main() -> None:
    """Write one row (traditional, simplified) for each character that differs."""
    characters = [chr(code) for first, end in _RANGES for code in range(first, end)]
    answer = subprocess.run(
        ["/usr/bin/uconv", "-f", "utf8", "-t", "utf8", "-x", "Traditional-Simplified"],
        input="\n".join(characters).encode(),
        capture_output=True,
        check=True,
    ).stdout.decode()
    folded = answer.split("\n")
    rows = [
        f"{one},{other}"
        for one, other in zip(characters, folded, strict=True)
        if one != other and len(other) == 1
    ]
    _TABLE.write_text("\n".join(["traditional,simplified", *rows, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
