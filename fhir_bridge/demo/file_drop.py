"""Leaves files in a folder as a source system does: written aside, then renamed into place."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

__all__ = ["drop", "drop_table"]

Progress = Callable[[str, int], None]


def drop(folder: Path, files: Iterable[tuple[str, bytes]], *, done: Progress | None = None) -> int:
    """Write each (name, bytes) into `folder`; answers how many.  `done` hears of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, data in files:
        aside = folder / f".{name}.part"
        aside.write_bytes(data)
        aside.rename(folder / name)
        count += 1
        if done:
            done(folder.name, 1)
    return count


def drop_table(
    folder: Path,
    name: str,
    rows: Iterable[Mapping[str, str]],
    *,
    codec: str = "utf-8",
    done: Progress | None = None,
) -> int:
    """Write `rows` as one CSV file, row by row; answers how many rows.

    The columns are those of the first row.  Without any row no file is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{name}.part"
    count = 0
    with aside.open("wb") as raw, io.TextIOWrapper(raw, encoding=codec, newline="") as text:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\r\n")
                writer.writeheader()
            writer.writerow(row)
            count += 1
            if done:
                done(folder.name, 1)
    if count:
        aside.rename(folder / name)
    else:
        aside.unlink()
    return count
