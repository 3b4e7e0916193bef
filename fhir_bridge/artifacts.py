"""Finds the data folders ``mappings/`` and ``profiles/``.

They travel in the wheel as ``fhir_bridge/mappings`` and ``fhir_bridge/profiles``; in a
checkout or an editable install they stand beside the package.  A site's own overlay
folder lies over them: a file of the same relative path replaces ours, others are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["Artifacts"]

_PACKAGE = Path(__file__).resolve().parent


class Artifacts:
    """The files of the product, with a site's overlay folders (last one wins) over them."""

    def __init__(self, *overlays: Path) -> None:
        self._roots: tuple[Path, ...] = tuple(overlays)

    def find(self, name: str) -> Path | None:
        """The file at `name` (``mappings/feeds/x.toml``), or None."""
        for root in self._searched(name.split("/", 1)[0]):
            path = root.joinpath(*name.split("/")[1:])
            if path.is_file():
                return path
        return None

    def walk(self, folder: str, suffix: str = "") -> Iterator[tuple[str, Path]]:
        """(name, path) of each file under `folder` in name order, overlays applied."""
        top, _, rest = folder.partition("/")
        found: dict[str, Path] = {}
        for root in reversed(self._searched(top)):
            start = root / rest if rest else root
            for path in sorted(start.rglob(f"*{suffix}")) if start.is_dir() else ():
                if path.is_file():
                    found[f"{top}/{path.relative_to(root).as_posix()}"] = path
        yield from sorted(found.items())

    def laid_over(self, folder: str, suffix: str = "") -> Iterator[tuple[str, Path]]:
        """The part of `walk` that comes from a site's overlay folders."""
        for name, path in self.walk(folder, suffix):
            if any(path.is_relative_to(root) for root in self._roots):
                yield name, path

    def _searched(self, top: str) -> list[Path]:
        """Candidate folders for `top`, the strongest first."""
        inside, beside = _PACKAGE / top, _PACKAGE.parent / top
        ours = inside if inside.is_dir() else beside
        return [*(overlay / top for overlay in reversed(self._roots)), ours]
