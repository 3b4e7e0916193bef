"""The quality of a map: what it gets wrong, told without input, and what it leaves out."""

from fhir_bridge.transform.check.check_map import check_map
from fhir_bridge.transform.check.coverage import Coverage, measure_coverage

__all__ = ["Coverage", "check_map", "measure_coverage"]
