"""What a type looks like to a map: elements, choices, lists, order, of R4 and of logical models.

https://hl7.org/fhir/R4/structuredefinition.html#logical
"""

from fhir_bridge.shapes.logical_models import logical_shapes
from fhir_bridge.shapes.shapes import ElementShape, Shape, Shapes, plain_type_name

__all__ = ["ElementShape", "Shape", "Shapes", "logical_shapes", "plain_type_name"]
