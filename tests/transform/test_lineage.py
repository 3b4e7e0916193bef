"""Lineage: for each element written, where it came from and which rule wrote it."""

from __future__ import annotations

from tests.transform.maps import transform

RULE = """
  src.n as n -> tgt.name as m then {
    n.f as f -> m.family = f "family";
  };
"""


def test_each_written_element_tells_source_rule_line_and_map() -> None:
    """Target path, the sender's place, map, rule and line."""
    done = transform(RULE, {"n": [{"f": "a"}, {"f": "b"}]}, lineage=True)
    steps = [(one.target_path, one.source_where, one.rule) for one in done.lineage]
    assert steps == [
        ("Patient.name[0].family", "n[0].f", "family"),
        ("Patient.name[1].family", "n[1].f", "family"),
    ]
    assert done.lineage[0].map_url == "http://example.org/StructureMap/test"
    assert done.lineage[0].line == 6


def test_lineage_is_off_unless_asked_for() -> None:
    """It costs nothing when nobody asks."""
    assert transform(RULE, {"n": [{"f": "a"}]}).lineage == []
