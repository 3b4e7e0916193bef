"""How a binding code reaches its person: by default as a file that the institution prints.

A site that sends messages puts its own program in the place of `write_code_file`: it is called
with the folder and the facts, and nothing else of the product knows how codes travel.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from fhir_bridge import clock

__all__ = ["write_code_file"]


def write_code_file(folder: Path, *, whom: str, code: str) -> Path:
    """Writes one file for its owner alone: whom it is for (masked) and the code."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{clock.fresh_id()}.json"
    text = json.dumps({"at": clock.instant(), "for": whom, "code": code}, ensure_ascii=False)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    return path
