"""The FHIR Mapping Language: map text to values, values to text and to StructureMap, and back.

https://hl7.org/fhir/R4/mapping-language.html and https://hl7.org/fhir/R5/mapping-language.html

Read in this order: `structure_map` (the parts of a map), `tokens`, `cursor` and
`expressions` (the text), `parse` and `parse_*` (text to values), `render` (values to text),
`resource` and `concept_map_resource` (values to FHIR JSON and back).  What a map does when
it runs is in `fhir_bridge.transform`.
"""

from fhir_bridge.fml.concept_map_resource import from_concept_map, to_concept_map
from fhir_bridge.fml.parse import parse_map
from fhir_bridge.fml.render import render_map
from fhir_bridge.fml.resource import from_structure_map_resource, to_structure_map_resource
from fhir_bridge.fml.structure_map import (
    CodeMapping,
    CodePrefix,
    ConceptMapBlock,
    Constant,
    Group,
    GroupCall,
    GroupParameter,
    Parameter,
    Rule,
    RuleSource,
    RuleTarget,
    StructureMap,
    Transform,
    Uses,
)
from fhir_bridge.fml.tokens import Text, Token, unquote

__all__ = [
    "CodeMapping",
    "CodePrefix",
    "ConceptMapBlock",
    "Constant",
    "Group",
    "GroupCall",
    "GroupParameter",
    "Parameter",
    "Rule",
    "RuleSource",
    "RuleTarget",
    "StructureMap",
    "Text",
    "Token",
    "Transform",
    "Uses",
    "from_concept_map",
    "from_structure_map_resource",
    "parse_map",
    "render_map",
    "to_concept_map",
    "to_structure_map_resource",
    "unquote",
]
