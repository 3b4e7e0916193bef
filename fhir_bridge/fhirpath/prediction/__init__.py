"""What a rule will answer, told from plain values where a few look-ups are certain.

https://hl7.org/fhir/R4/fhirpath.html

Most rules speak of elements that are not there, or compare two short texts: ``value.empty()
or system.exists()``, ``start <= end``.  A prediction is a function of (value, ``%resource``)
that returns True, False, None (the engine would answer nothing) or `UNKNOWN`: then the engine
is asked.  It may be used only on values whose structure is sound by the definitions: no unknown
key, no empty list, no null.

`reader` turns a form into look-ups, with `chains` for paths and `logic` for operators.
"""

from fhir_bridge.fhirpath.prediction.logic import UNKNOWN, Look
from fhir_bridge.fhirpath.prediction.reader import predict

__all__ = ["UNKNOWN", "Look", "predict"]
