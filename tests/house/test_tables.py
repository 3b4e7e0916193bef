"""The tables of settings and error codes in the docs are the ones in the code."""

from pathlib import Path

import pytest

from fhir_bridge.config import SETTINGS
from fhir_bridge.errors import catalogue

DOCS = Path(__file__).parents[2] / "docs"

_SETTINGS = """# Settings

Printed from `fhir_bridge/config.py`. Each setting is an environment variable; most commands take the
common ones as options too. A variable that starts with `FHIR_BRIDGE_` and is not listed is refused, so
that a misspelt setting cannot be ignored.

| variable | what it is for | default |
|---|---|---|
{rows}
"""
_ERRORS = """# Errors

Printed from `fhir_bridge/errors.csv`. `fhir_bridge/errors.py` says which range belongs to whom. The
code travels in `OperationOutcome.issue.details`, in the `ERR` segment of an HL7 v2 acknowledgement,
in quarantine and on standard error.

| code | HTTP | v2 ACK | FHIR issue type | what happened | what to do |
|---|---|---|---|---|---|
{rows}
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def settings_page() -> str:
    """docs/settings.md as it should stand."""
    rows = [
        f"| `{each.variable}` | {_cell(each.purpose)} | {f'`{each.default}`' if each.default else '(none)'} |"
        for each in SETTINGS
    ]
    return _SETTINGS.format(rows="\n".join(rows))


def errors_page() -> str:
    """docs/errors.md as it should stand."""
    rows = [
        f"| {each.code} | {each.http_status} | {each.ack} {each.ack_condition} | {each.issue_type} "
        f"| {_cell(each.sentence)} | {_cell(each.hint)} |"
        for each in catalogue().values()
    ]
    return _ERRORS.format(rows="\n".join(rows))


@pytest.mark.parametrize(
    ("name", "page"), [("settings.md", settings_page), ("errors.md", errors_page)]
)
def test_a_printed_page_says_what_the_code_says(name, page, accept):
    """`pytest tests/house --accept` rewrites the page after a change of the code."""
    path = DOCS / name
    if accept:
        path.write_text(page(), encoding="utf-8")

    assert page() == path.read_text(encoding="utf-8")
