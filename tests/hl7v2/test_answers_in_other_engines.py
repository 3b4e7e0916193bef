"""The same answers read by engines of other houses: HAPI HL7v2 (Java) and node-hl7-client.

https://hapifhir.github.io/hapi-hl7v2/, https://www.npmjs.com/package/node-hl7-client.  They are
fetched by their own package managers where these are; else the test is skipped with the reason.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hl7v2.test_answers_elsewhere import ISSUES, VERSIONS, _answer

ENGINES = Path(__file__).parent / "engines"
IN_HAPI = [version for version in VERSIONS if version != "2.8.2"]  # HAPI 2.6 ends with 2.8.1


def _fetch(command: Sequence[str], folder: Path) -> None:
    """Fetch an engine; the test is skipped where it cannot be had."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=240)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{command[0]} could not fetch the engine: {type(error).__name__}")


def _told(command: Sequence[str], folder: Path) -> list[str]:
    """The lines that an engine prints."""
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout.splitlines()


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """All kinds of answers, one a line; the last is none that any engine may call whole."""
    listed = [
        _answer(version, kind, code, issues)
        for version in IN_HAPI
        for kind in ("ADT^A01^ADT_A01", "ADT^A01", "ORU^R01")
        for code in ("AA", "AE", "AR", "CA", "CE", "CR")
        for issues in (ISSUES if code[1] != "A" else ISSUES[:1])
    ]
    path = tmp_path / "answers.txt"
    lines = [*(each.replace("\r", "\x01") for each in listed), "no message at all"]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_hapi_reads_every_answer_with_its_own_checks(answers: Path, tmp_path: Path) -> None:
    """Each as the ACK of its version, without a segment that does not belong there."""
    shutil.copytree(ENGINES, tmp_path / "engines")
    folder = tmp_path / "engines"
    fetch = "dependency:build-classpath"
    _fetch(["mvn", "-q", "-B", fetch, "-Dmdep.outputFile=classpath"], folder)
    classpath = (folder / "classpath").read_text(encoding="utf-8")
    told = _told(["java", "-cp", classpath, "Read.java", str(answers)], folder)
    assert {"read"} == set(told[:-1])
    assert told[-1] != "read"
    assert len(told) == len(answers.read_text(encoding="utf-8").split("\n"))


def test_node_hl7_client_reads_every_answer(answers: Path, tmp_path: Path) -> None:
    """MSA-2 is the control id of the message, in each."""
    shutil.copytree(ENGINES, tmp_path / "engines")
    folder = tmp_path / "engines"
    _fetch(["npm", "install", "--silent", "--no-save", "node-hl7-client@3.2.0"], folder)
    told = _told(["node", "read.mjs", str(answers)], folder)
    assert {"read"} == set(told[:-1])
    assert told[-1] != "read"
