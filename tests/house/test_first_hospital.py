"""docs/first-hospital.md works: its commands are run as they stand on the page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "first-hospital.md"


def _commands():
    return re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.timeout(900)
def test_the_tutorial_goes_from_an_empty_overlay_to_a_linked_patient(tmp_path):
    """Every block, in order, in one shell that stops at the first that fails."""
    marked = "".join(f"echo '--- {n}'\n{block}" for n, block in enumerate(_commands(), 1))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("FHIR_BRIDGE_")
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", marked],
        cwd=tmp_path,
        env=environment | {"PATH": path},
        capture_output=True,
        check=False,
    )
    said = done.stdout.decode()

    assert done.returncode == 0, f"{said}\n{done.stderr.decode()}"
    assert '"errors":0,"warnings":0' in said
    unread = said.rpartition("---")[2]
    assert "ZPI-3" in unread
    assert "ZPI-2" not in unread
