"""CDA R2 documents and HL7 V3 interactions: bytes to a tree of named nodes.

https://www.hl7.org/implement/standards/product_brief.cfm?product_id=496 (CDA R2) and the
Chinese shared-document rules WS/T 482, WS/T 483 and WS/T 500, which keep its header and
entry style.  Read in this order: `document` (what a file is), `node` (how its tree is
asked), `narrative` (section text as XHTML).  No I/O, and XML only through
:mod:`fhir_bridge.xml`.
"""

from fhir_bridge.cda.document import Document, parse
from fhir_bridge.cda.node import Node, Text
from fhir_bridge.cda.unread import unread

__all__ = ["Document", "Node", "Text", "parse", "unread"]
