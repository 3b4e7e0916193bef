"""Security labels: what of a record is sensitive, said by rules and written on the resources

`rules` reads the table (``profiles/sensitivity/labels.toml``) and its value sets, `labeller` puts
labels on a resource: before it is judged, when it is ingested and when it is written over REST.
"""

from fhir_bridge.security_labels.labeller import Labeller, without_labels
from fhir_bridge.security_labels.rules import LabelRule, load_label_rules

__all__ = ["LabelRule", "Labeller", "load_label_rules", "without_labels"]
