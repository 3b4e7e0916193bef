"""``python -m tests.chaos``: trouble of every kind beside good traffic, one scene after the other.

The full disk is a small one of its own (a tmpfs in a mount namespace of the user's: ``unshare``);
the restart needs the PostgreSQL that ``.ci/with-postgresql`` starts.  A scene that cannot be
played here says so and counts as not played.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos import scenes
from tests.chaos.scenes import Place
from tests.store.databases import scratch_schema

ON_ONE_SITE = (
    scenes.folder_gone,
    scenes.worker_killed,
    scenes.clock_set_back,
    scenes.poison,
)
_DISK_BYTES = 128 << 20
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def play(folder: Path, chosen: tuple[Callable[[Place], None], ...], **settings: str) -> None:
    """Scenes on one site; prints what each took."""
    with scenes.at(folder, **settings) as place:
        for scene in chosen:
            began = time.monotonic()
            scene(place)
            print(f"{scene.__name__:<22}{time.monotonic() - began:6.1f} s", flush=True)
        place.good.stop()
        print(
            f"    {len(place.good.accepted)} acknowledged, answers {dict(place.good.answers)}, ",
            end="",
        )
        print(f"reads {dict(place.good.reads)}", flush=True)


def _on_a_small_disk(folder: Path) -> None:
    """In a namespace of its own: a site on a disk of `_DISK_BYTES`."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    try:
        play(disk / "site", (scenes.disk_full,))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def main() -> int:
    """Play everything that can be played here; 0 when nothing failed and nothing was left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if sys.argv[1:2] == ["small-disk"]:
            _on_a_small_disk(folder)
            return 0
        left = []
        play(folder / "sqlite", ON_ONE_SITE)
        if subprocess.run([*_UNSHARE, "true"], check=False, capture_output=True).returncode:
            left.append("disk_full: no namespace of mounts here")
        else:
            subprocess.run(
                [*_UNSHARE, sys.executable, "-m", "tests.chaos", "small-disk"], check=True
            )
        url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
        if not url or "FHIR_BRIDGE_TEST_POSTGRESQL_CONTROL" not in os.environ:
            left.append("database_restarted: no PostgreSQL that may be stopped")
        else:
            with scratch_schema(url) as database:
                chosen = (scenes.database_restarted, scenes.worker_killed)
                play(folder / "postgresql", chosen, FHIR_BRIDGE_DATABASE=database)
    for each in left:
        print("not played:", each)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
