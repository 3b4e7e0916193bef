"""Log lines: one JSON object each, of allowed fields only."""

from __future__ import annotations

import io
import json
import logging
import sys
from datetime import UTC, datetime

import pytest

from fhir_bridge import clock, log


@pytest.fixture
def lines(monkeypatch):
    """What was logged; the logger is left as it was found."""
    logger, written = logging.getLogger("fhir_bridge"), io.StringIO()
    before = logger.handlers[:], logger.level, logger.propagate
    monkeypatch.setattr(sys, "stderr", written)
    log.configure("INFO")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logger.handlers[:], level, logger.propagate = before
    logger.setLevel(level)


def test_a_line_is_one_json_object_with_time_level_and_event(lines):
    """So that any collector reads it."""
    with clock.at(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)):
        log.event("recorded", feed="hospital-his", count=3)

    assert lines() == [
        {
            "time": "2026-01-02T03:04:05.000Z",
            "level": "INFO",
            "event": "recorded",
            "feed": "hospital-his",
            "count": 3,
        }
    ]


@pytest.mark.parametrize("name", ["patient", "name", "identifier", "text", "body", "address", "q"])
def test_a_field_that_is_not_listed_is_refused(name, lines):
    """Even at a level that is not logged: the mistake is in the code."""
    for level in (logging.INFO, logging.DEBUG):
        with pytest.raises(ValueError, match=name):
            log.event("recorded", level=level, **{name: "张三"})

    assert [] == lines()


def test_no_allowed_field_is_one_of_a_person():
    """The list is what keeps names and numbers out, so it is read here once more."""
    personal = {
        "name",
        "family",
        "given",
        "birth_date",
        "identifier",
        "telecom",
        "address",
        "value",
    }

    assert frozenset() == log.ALLOWED & personal


def test_a_value_with_line_breaks_stays_one_line(lines):
    """Nobody forges a line of the log by a feed's name or a code."""
    log.event("recorded", feed='x\n{"event":"forged"}')

    assert ['x\n{"event":"forged"}'] == [line["feed"] for line in lines()]


def test_less_than_the_level_is_not_written(lines):
    """INFO leaves DEBUG out."""
    log.event("detail", level=logging.DEBUG, count=1)

    assert [] == lines()


def test_configuring_again_does_not_double_the_lines(lines, capsys):
    """A process may wire two sites one after the other; the later one's stream counts."""
    log.configure("INFO")
    log.event("once", count=1)

    assert 1 == capsys.readouterr().err.count("once")
    assert [] == lines()
