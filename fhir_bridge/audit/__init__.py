"""Where a record came from and who has looked at it.

``provenance`` makes the Provenance that is stored with what a message became.
"""

from fhir_bridge.audit.provenance import FEED_SYSTEM, MESSAGE_SYSTEM, provenance

__all__ = ["FEED_SYSTEM", "MESSAGE_SYSTEM", "provenance"]
